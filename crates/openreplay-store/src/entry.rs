//! A record on its way into the store, and what became of it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::error::Error;

/// Elasticsearch accepts no longer `_id`.
pub(crate) const LONGEST_ID: usize = 512;

/// A record that was read and can be stored.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Those that its message names.
    pub(crate) sessions: SmallVec<[u64; 1]>,
    /// Nanoseconds since 1970; `None` where the record has no time.
    pub(crate) time: Option<i64>,
    pub(crate) id: Text,
    pub(crate) line: Text,
    /// Whether the same record may be there already.
    pub(crate) may_exist: bool,
}

/// A piece of a larger buffer that is UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct Text(Bytes);

impl Text {
    pub(crate) fn new(bytes: Bytes) -> Option<Self> {
        str::from_utf8(&bytes).is_ok().then_some(Self(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("`new` checks it")
    }

    /// Its bytes, which are not checked again.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// What became of a record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is on disk.
    Created,
    /// A record with this `_id` and this time was there before. It is kept as it is.
    Exists,
    /// The very same record was there before, and was allowed to be.
    Unchanged,
    /// It cannot be stored. A retry would not help.
    Rejected(Rejected),
    /// It was not stored. A retry may help.
    Failed(Arc<Error>),
}

impl Outcome {
    /// Whether the record is on disk, since now or since before.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Created | Self::Exists | Self::Unchanged)
    }
}

/// Why a record can never be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// It is not UTF-8, not a JSON object, has more than 127 levels, or has a name twice in one
    /// object, or its `message` or `@timestamp` is an object.
    Malformed(String),
    /// Its `_id` has no characters.
    EmptyId,
    /// Its `_id` has so many bytes. Elasticsearch accepts at most 512.
    LongId(usize),
    /// Its time is further back than the store keeps records.
    TooOld,
    /// Its time is more than a day ahead of this machine's clock, so it would outlive every other.
    TooNew,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "failed to parse: {why}"),
            Self::EmptyId => f.write_str("if _id is specified it must not be empty"),
            Self::LongId(length) => write!(
                f,
                "_id is too long, must be no longer than {LONGEST_ID} bytes but was: {length}"
            ),
            Self::TooOld => {
                f.write_str("[@timestamp] is further back than this store keeps records (max_age)")
            }
            Self::TooNew => f.write_str(
                "[@timestamp] is more than a day ahead of the store's clock; set the sender's clock",
            ),
        }
    }
}
