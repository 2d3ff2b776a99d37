//! What a checkpoint stores about files. Invalid values are rejected when it is read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;
use super::identity::{Identity, Place};
use crate::envelope::Join;

/// How far a file is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Position {
    /// The start of the `_id`s of the file's lines. It is random, and a new one is chosen whenever
    /// the file is rewritten.
    pub(super) seed: u64,
    pub(super) identity: Identity,
    /// The path where the file was seen last.
    #[serde(with = "bytes")]
    pub(super) path: PathBuf,
    pub(super) delivered: Place,
    #[serde(flatten)]
    pub(super) existence: Existence,
    /// The length of the compressed file, if all its text is delivered.
    #[serde(default, rename = "packed", skip_serializing_if = "Option::is_none")]
    pub(super) compressed_length: Option<u64>,
    /// Missing in version 1, and if there are none.
    #[serde(default, skip_serializing_if = "Join::is_empty")]
    pub(super) pieces: Pieces,
}

/// Whether a file still exists, and if not, since when, in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "StoredExistence", into = "StoredExistence")]
pub(super) enum Existence {
    There,
    /// The folder of the file may be mounted later, or the file may be moved back.
    Missing {
        since: u64,
    },
    /// The file cannot come back.
    Deleted {
        since: u64,
    },
}

impl Existence {
    pub(super) fn is_there(self) -> bool {
        self == Self::There
    }

    pub(super) fn is_deleted(self) -> bool {
        matches!(self, Self::Deleted { .. })
    }

    pub(super) fn missing_since(self) -> Option<u64> {
        match self {
            Self::There => None,
            Self::Missing { since } | Self::Deleted { since } => Some(since),
        }
    }
}

#[derive(Deserialize, Serialize)]
struct StoredExistence {
    missing_since: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_deleted: bool,
}

impl From<StoredExistence> for Existence {
    fn from(stored: StoredExistence) -> Self {
        match (stored.missing_since, stored.is_deleted) {
            (None, _) => Self::There,
            (Some(since), false) => Self::Missing { since },
            (Some(since), true) => Self::Deleted { since },
        }
    }
}

impl From<Existence> for StoredExistence {
    fn from(existence: Existence) -> Self {
        Self {
            missing_since: existence.missing_since(),
            is_deleted: existence.is_deleted(),
        }
    }
}

/// The beginnings of lines that a container runtime wrote in pieces, one for each stream, whose
/// remaining pieces are in no file yet. `delivered` is after them, although they are not sent.
/// Their text is stored, because their file may be gone when the remaining pieces appear in the
/// next file.
pub(super) type Pieces = Join<Start>;

/// Where a line begins. The line's `_id` is derived from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Start {
    pub(super) seed: u64,
    pub(super) offset: u64,
}

impl Start {
    /// Returns the start of a journal entry, which has the same `_id` wherever it is read.
    pub(super) fn of_entry(entry: u128) -> Self {
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        Self {
            seed: half(entry >> 64),
            offset: half(entry),
        }
    }
}

/// The contents of one request, and the index that it was first sent to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct InFlight {
    pub(super) index: IndexName,
    pub(super) parts: Vec<Part>,
    /// The index of each record that was since sent to a different index, by `_id`.
    pub(super) moved: BTreeMap<String, IndexName>,
}

/// A section of whole lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "AnyPart")]
pub(super) struct Part {
    pub(super) seed: u64,
    #[serde(with = "bytes")]
    pub(super) path: PathBuf,
    /// At most the offset of `to`.
    pub(super) from: u64,
    pub(super) to: Place,
}

impl Part {
    pub(super) fn bytes(&self) -> u64 {
        self.to.offset - self.from
    }
}

#[derive(Deserialize)]
struct AnyPart {
    seed: u64,
    #[serde(with = "bytes")]
    path: PathBuf,
    from: u64,
    to: Place,
}

impl TryFrom<AnyPart> for Part {
    type Error = String;

    fn try_from(part: AnyPart) -> Result<Self, String> {
        let AnyPart {
            seed,
            path,
            from,
            to,
        } = part;
        if from > to.offset {
            return Err(format!("a section from {from} to {}", to.offset));
        }
        Ok(Self {
            seed,
            path,
            from,
            to,
        })
    }
}

/// A valid index name, since it becomes part of a request's path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct IndexName(String);

impl IndexName {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks the rules of Elasticsearch's `MetadataCreateIndexService.validateIndexOrAliasName`. A
/// percent sign is rejected, too, since it would be decoded in a path.
impl TryFrom<String> for IndexName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_allowed = |char: char| {
            let is_shown = !char.is_whitespace() && !char.is_control() && !char.is_uppercase();
            is_shown && !r#"\/*?"<>|,#:%"#.contains(char)
        };
        let is_name = (1..=255).contains(&name.len())
            && !name.starts_with(['-', '_', '+'])
            && !name.starts_with("..")
            && name != "."
            && name.chars().all(is_allowed);
        if is_name {
            Ok(Self(name))
        } else {
            Err(format!("the invalid index name {name:?}"))
        }
    }
}

impl From<IndexName> for String {
    fn from(name: IndexName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_an_index_cannot_have_are_rejected() {
        let long = "a".repeat(256);
        for (name, is_name) in [
            ("logs-000001", true),
            (".ds-logs-2026.07.01-000001", true),
            ("protokoll-é", true),
            ("a b", false),
            ("a/_search?x=", false),
            ("a%2fb", false),
            ("A", false),
            ("", false),
            (".", false),
            ("..", false),
            ("-a", false),
            ("_all", false),
            ("a,b", false),
            ("a\nb", false),
            ("a#b", false),
            (&long, false),
        ] {
            assert_eq!(
                IndexName::try_from(name.to_owned()).is_ok(),
                is_name,
                "{name}"
            );
        }
    }
}
