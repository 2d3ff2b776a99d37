//! What a checkpoint keeps of files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;
use super::identity::{Identity, Place};
use crate::envelope::Join;

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
    /// Missing in version 1, and if there are none.
    #[serde(default, skip_serializing_if = "Join::is_empty")]
    pub(super) pieces: Pieces,
}

/// The beginnings of lines that a container runtime wrote in pieces, one for each stream, whose rest is in no file yet: `delivered` is
/// after them, but they are not sent. Their text is kept because its file may be gone when the rest comes, in the next one.
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
