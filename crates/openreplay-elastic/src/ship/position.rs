//! What a checkpoint keeps of files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;
use super::identity::{Identity, Place};

/// How far a file is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Position {
    /// What the `_id`s of its lines start with: random, and another one whenever the file is written anew.
    pub(super) seed: u64,
    pub(super) identity: Identity,
    /// Where it was seen last.
    #[serde(with = "bytes")]
    pub(super) path: PathBuf,
    pub(super) delivered: Place,
    /// Since when it is nowhere, in seconds of the epoch: a folder may be mounted later, or the file moved back.
    pub(super) missing_since: Option<u64>,
    /// Missing in version 1, and if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) piece: Option<Piece>,
}

/// The beginning of a line that a container runtime wrote in pieces, whose rest is in no file yet: `delivered` is after it, but it is
/// not sent. Its text is kept because its file may be gone when the rest comes, in the next one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Piece {
    /// Where the line begins: its `_id` is made from this offset.
    pub(super) from: u64,
    pub(super) text: String,
}

/// What one request holds, and the index that it was first sent to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct InFlight {
    pub(super) index: String,
    pub(super) parts: Vec<Part>,
    /// The index of each record that went to another one since, by `_id`.
    pub(super) moved: BTreeMap<String, String>,
}

/// A stretch of whole lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Part {
    pub(super) seed: u64,
    #[serde(with = "bytes")]
    pub(super) path: PathBuf,
    pub(super) from: u64,
    pub(super) to: Place,
}
