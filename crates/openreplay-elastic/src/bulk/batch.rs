use std::time::{Duration, Instant};

use bytes::Bytes;

use super::frame;

/// Framed records that are sent together, in pieces that lie where they were framed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) pieces: Vec<Piece>,
    /// The index that this batch has to stay with: an `_id` is unique in an index only.
    pub(crate) bound: Option<String>,
    /// An attempt got no answer, while this was the index behind the alias (where it was known).
    pub(crate) lost: Option<Option<String>>,
    /// How often these records were sent.
    pub(crate) attempts: u32,
    /// How often these records were answered with anything but success.
    pub(crate) faults: u32,
    /// Since when it is a single record over which the engine stumbles.
    pub(crate) alone: Option<Instant>,
    /// The index that it was sent to takes no records.
    pub(crate) is_blocked: bool,
    /// The engine has refused this single record as a whole request: once more, and it is the record's fault.
    pub(crate) is_doubted: bool,
    /// In its last form: what is refused now, is refused for good.
    pub(crate) minimal: bool,
}

/// Some framed records in one stretch of memory.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    pub(crate) records: usize,
    /// The sender's own mark, given back with what became of the records.
    pub(crate) tag: u64,
}

impl Batch {
    pub(crate) fn new(pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            ..Self::default()
        }
    }

    pub(crate) fn alone(&self) -> Duration {
        self.alone.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether something depends on where the alias leads now.
    pub(crate) fn needs_place(&self) -> bool {
        self.bound.is_some() || self.lost.is_some() || self.is_doubted
    }

    pub(crate) fn records(&self) -> usize {
        self.pieces.iter().map(|piece| piece.records).sum()
    }

    /// The bodies of the pieces, not copied.
    pub(crate) fn body(&self) -> Vec<Bytes> {
        self.pieces
            .iter()
            .map(|piece| piece.bytes.clone())
            .collect()
    }

    /// Each record on its own, not copied.
    pub(crate) fn each(&self) -> impl Iterator<Item = Piece> {
        self.pieces.iter().flat_map(|piece| {
            frame::records(&piece.bytes).map(|bytes| Piece {
                bytes,
                records: 1,
                tag: piece.tag,
            })
        })
    }

    /// The same batch with only these records.
    pub(crate) fn with(&self, pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            bound: self.bound.clone(),
            lost: self.lost.clone(),
            attempts: self.attempts,
            faults: self.faults,
            alone: self.alone,
            is_blocked: self.is_blocked,
            is_doubted: self.is_doubted,
            minimal: self.minimal,
        }
    }

    /// Two halves of a batch of two records or more.
    pub(crate) fn halves(&self) -> (Self, Self) {
        let mut first: Vec<_> = self.each().collect();
        let second = first.split_off(first.len() / 2);
        (self.with(first), self.with(second))
    }
}
