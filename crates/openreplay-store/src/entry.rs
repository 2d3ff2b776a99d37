//! A record that is being stored, and its outcome.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::error::Error;

/// The maximum length of an `_id`, which is that of Elasticsearch.
pub(crate) const LONGEST_ID: usize = 512;

/// A parsed record that can be stored.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The sessions that its message names.
    pub(crate) sessions: SmallVec<[u64; 1]>,
    /// The time in nanoseconds since 1970, or `None` if the record has no time.
    pub(crate) time: Option<i64>,
    pub(crate) id: Text,
    pub(crate) line: Text,
    /// Whether the store may already contain the same record.
    pub(crate) may_exist: bool,
}

/// A slice of a larger buffer that is valid UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct Text(Bytes);

impl Text {
    pub(crate) fn new(bytes: Bytes) -> Option<Self> {
        str::from_utf8(&bytes).is_ok().then_some(Self(bytes))
    }

    /// Bytes that are known to be UTF-8.
    pub(crate) fn checked(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("it was checked")
    }

    /// Returns the bytes, which have already been checked.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// The outcome of storing a record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The record is on disk.
    Created,
    /// The store already contained a record with this `_id` and time, which is kept.
    Exists,
    /// The store already contained the same record, as permitted.
    Unchanged,
    /// The record cannot be stored, and a retry would not help.
    Rejected(Rejected),
    /// The record was not stored, but a retry may help.
    Failed(Arc<Error>),
}

impl Outcome {
    /// Returns whether the record is on disk, whether it was stored now or before.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Created | Self::Exists | Self::Unchanged)
    }
}

/// The reason why a record can never be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The record is not valid UTF-8 or not a JSON object, has a repeated key, is nested more than
    /// 127 levels deep, has more than 65,536 names in an object and the objects around it, names
    /// more than 1,000 sessions, or has an object as its `message` or `@timestamp`.
    Malformed(String),
    /// The `_id` is empty.
    EmptyId,
    /// The `_id` has this number of bytes, but the maximum is 512, as in Elasticsearch.
    LongId(usize),
    /// The time is before the period for which the store keeps records.
    TooOld,
    /// The time is more than a day ahead of this machine's clock, so the record would be kept for
    /// too long.
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
