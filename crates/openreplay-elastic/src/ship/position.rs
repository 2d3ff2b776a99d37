//! What a checkpoint keeps of files. It is parsed into what cannot be wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;
use super::identity::{Identity, Place};
use crate::envelope::Join;

/// How far a file is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Position {
    /// What the `_id`s of its lines start with: random, and another one whenever the file is
    /// written anew.
    pub(super) seed: u64,
    pub(super) identity: Identity,
    /// Where it was seen last.
    #[serde(with = "bytes")]
    pub(super) path: PathBuf,
    pub(super) delivered: Place,
    /// Since when it is missing, in seconds of the epoch: a folder may be mounted later, or the
    /// file moved back.
    pub(super) missing_since: Option<u64>,
    /// How long the compressed file is, if all its text is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) packed: Option<u64>,
    /// Missing in version 1, and if there are none.
    #[serde(default, skip_serializing_if = "Join::is_empty")]
    pub(super) pieces: Pieces,
}

/// The beginnings of lines that a container runtime wrote in pieces, one for each stream, whose
/// rest is in no file yet: `delivered` is after them, but they are not sent. Their text is kept
/// because its file may be gone when the rest comes, in the next one.
pub(super) type Pieces = Join<Start>;

/// Where a line begins: its `_id` is made from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Start {
    pub(super) seed: u64,
    pub(super) offset: u64,
}

impl Start {
    /// An entry of the journal has the same `_id` wherever it is read.
    pub(super) fn of_entry(entry: u128) -> Self {
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        Self {
            seed: half(entry >> 64),
            offset: half(entry),
        }
    }
}

/// What one request holds, and the index that it was first sent to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct InFlight {
    pub(super) index: IndexName,
    pub(super) parts: Vec<Part>,
    /// The index of each record that went to another one since, by `_id`.
    pub(super) moved: BTreeMap<String, IndexName>,
}

/// A stretch of whole lines.
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
            return Err(format!("a stretch from {from} to {}", to.offset));
        }
        Ok(Self {
            seed,
            path,
            from,
            to,
        })
    }
}

/// The name of an index, as Elasticsearch allows it: it stands in the path of a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct IndexName(String);

impl IndexName {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The rules of Elasticsearch's `MetadataCreateIndexService.validateIndexOrAliasName`; a percent
/// sign would be decoded in a path.
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
            Err(format!("an index of the name {name:?}"))
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
