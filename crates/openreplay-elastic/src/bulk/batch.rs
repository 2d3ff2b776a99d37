use std::ops::RangeBounds;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::frame;

/// How long records wait for an index that takes none and that the alias has left.
pub(super) const BLOCKED: Duration = Duration::from_secs(60);

/// Framed records that are sent together, in pieces that lie where they were framed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) pieces: Vec<Piece>,
    /// The index that this batch has to stay with: an `_id` is unique in an index only.
    pub(crate) bound: Option<String>,
    /// Its sender knows the index of each record before that is sent.
    pub(crate) stays: bool,
    /// An attempt got no answer, and this was the index behind the alias before it, as far as was known.
    pub(crate) lost: Option<String>,
    /// How often these records were sent.
    pub(crate) attempts: u32,
    /// How often they waited for another attempt, by its [`Pace`](crate::retry::Pace).
    pub(crate) waits: [u32; 2],
    /// How often these records were answered with anything but success.
    pub(crate) faults: u32,
    /// Since when it is a single record over which the engine stumbles.
    pub(crate) alone: Option<Instant>,
    /// Another record was taken while this one was not.
    pub(crate) is_blamed: bool,
    /// Since when each answer has been that the index takes no records.
    pub(crate) blocked: Option<Instant>,
    /// This single record was refused as a whole request: once more, and it is the record's fault.
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

    /// Whether something depends on where the alias leads now.
    pub(crate) fn needs_place(&self) -> bool {
        self.bound.is_some() || self.lost.is_some() || self.is_doubted
    }

    /// Whether the index that it has to stay with has taken no records for [`BLOCKED`]. Until then it may hold them, since
    /// it cannot be asked, and another index would store them twice.
    pub(super) fn is_blocked_for_long(&self, now: Instant) -> bool {
        self.blocked
            .is_some_and(|since| now.saturating_duration_since(since) >= BLOCKED)
    }

    pub(crate) fn records(&self) -> usize {
        self.pieces.iter().map(|piece| piece.records).sum()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len()).sum()
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
            stays: self.stays,
            lost: self.lost.clone(),
            attempts: self.attempts,
            waits: self.waits,
            faults: self.faults,
            alone: self.alone,
            is_blamed: self.is_blamed,
            blocked: self.blocked,
            is_doubted: self.is_doubted,
            minimal: self.minimal,
        }
    }

    /// As many records as fit into so many bytes, but one at least, and the rest.
    pub(crate) fn split(&self, bytes: usize) -> (Self, Self) {
        let mut first = Vec::new();
        let mut rest = Vec::new();
        let mut room = bytes;
        for piece in &self.pieces {
            if rest.is_empty() && piece.bytes.len() <= room {
                room -= piece.bytes.len();
                first.push(piece.clone());
                continue;
            }
            let (mut end, mut records) = (0, 0);
            for record in frame::records(&piece.bytes) {
                let is_first = first.is_empty() && records == 0;
                if !rest.is_empty() || end + record.len() > room && !is_first {
                    break;
                }
                end += record.len();
                records += 1;
            }
            room = room.saturating_sub(end);
            if records > 0 {
                first.push(piece.part(..end, records));
            }
            if records < piece.records {
                rest.push(piece.part(end.., piece.records - records));
            }
        }
        (self.with(first), self.with(rest))
    }

    /// Two halves, unless it is a single record.
    pub(crate) fn halved(self) -> Vec<Self> {
        if self.records() < 2 {
            return vec![self];
        }
        let (first, second) = self.split(self.bytes() / 2);
        vec![first, second]
    }

    /// The same in memory of its own, so that the larger one which it is a part of can go.
    pub(crate) fn detached(mut self) -> Self {
        for piece in &mut self.pieces {
            piece.bytes = Bytes::copy_from_slice(&piece.bytes);
        }
        self
    }
}

impl Piece {
    fn part(&self, range: impl RangeBounds<usize>, records: usize) -> Self {
        Self {
            bytes: self.bytes.slice(range),
            records,
            tag: self.tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bulk::Ids;

    fn batch(pieces: &[Vec<usize>]) -> Batch {
        let mut ids = Ids::new(3);
        let mut batch = Batch::new(Vec::new());
        for (tag, lines) in (0..).zip(pieces) {
            let mut bytes = Vec::new();
            for length in lines {
                let line = format!("{{\"a\":\"{}\"}}", "x".repeat(*length));
                ids.next().frame(&mut bytes, line.as_bytes());
            }
            batch.pieces.push(Piece {
                bytes: bytes.into(),
                records: lines.len(),
                tag,
            });
        }
        batch
    }

    proptest! {
        #[test]
        fn parts_of_a_batch_are_the_batch(pieces in prop::collection::vec(prop::collection::vec(0..400_usize, 1..8), 1..6), bytes in 0..6_000_usize) {
            let whole = batch(&pieces);
            let (first, rest) = whole.split(bytes);
            prop_assert!(first.records() > 0);
            prop_assert!(first.bytes() <= bytes || first.records() == 1);
            if let Some(next) = rest.each().next() {
                prop_assert!(first.bytes() + next.bytes.len() > bytes, "there was room for one more");
            }
            let parts = || first.each().chain(rest.each());
            let shown = |piece: Piece| (piece.bytes, piece.tag);
            prop_assert_eq!(parts().map(shown).collect::<Vec<_>>(), whole.each().map(shown).collect::<Vec<_>>());
            prop_assert_eq!(first.records() + rest.records(), whole.records());
            prop_assert_eq!(first.bytes() + rest.bytes(), whole.bytes());

            let count = whole.records();
            let halves = whole.halved();
            prop_assert_eq!(halves.len(), count.min(2));
            prop_assert!(halves.iter().all(|half| half.records() > 0));
        }
    }
}
