//! Records on their way, and how they are cut apart.

use std::ops::Range;

use bytes::Bytes;

use super::decide::Records;
use super::state::{Form, State};
use super::wire;
use crate::document;

/// Framed records that are sent together, in pieces that lie where they were framed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) pieces: Vec<Piece>,
    pub(super) state: State,
}

/// Framed records that lie one after the other in memory.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    pub(crate) records: usize,
    /// The caller's own number, passed back with what became of the records.
    pub(crate) tag: u64,
}

impl Batch {
    pub(crate) fn new(pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            state: State::default(),
        }
    }

    /// Creates a batch whose observer must know the index, so that it can keep the records there
    /// over a restart.
    #[cfg(any(test, feature = "ship"))]
    pub(crate) fn pinned(pieces: Vec<Piece>, index: Option<&str>) -> Self {
        let state = State::always_pinned(index);
        Self { pieces, state }
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
            wire::records(&piece.bytes).map(|bytes| Piece {
                bytes,
                records: 1,
                tag: piece.tag,
            })
        })
    }

    /// Some of the records, in the form and with the state that they have from now on; `None` if
    /// there are none.
    pub(super) fn select(&self, records: &Records, state: &State) -> Option<Self> {
        let pieces = match records {
            Records::None => return None,
            Records::All => self.pieces.clone(),
            Records::Range(range) => self.range(range),
            Records::These(these) => {
                let all: Vec<_> = self.each().collect();
                let these = these.iter().filter_map(|at| all.get(*at).cloned());
                these.collect()
            }
        };
        let state = state.clone();
        let selected = Self { pieces, state };
        Some(match (self.state.form, selected.state.form) {
            (Form::Whole, Form::Minimal) => selected.minimal(),
            _ => selected,
        })
    }

    /// Two parts: as many records as fit into so many bytes, at least one, and the others.
    pub(super) fn split(&self, bytes: usize) -> Vec<Self> {
        let fitting = self.fitting(bytes);
        let ranges = [0..fitting, fitting..self.records()];
        let parts = ranges.iter().map(|range| Self {
            pieces: self.range(range),
            state: self.state.clone(),
        });
        parts.collect()
    }

    /// The tags of some of the records, with the number of records of each; one record at a time if
    /// they are not the whole.
    pub(super) fn tags(&self, records: &Records) -> Vec<(u64, usize)> {
        let parts = self.select(records, &self.state);
        let pieces = parts.into_iter().flat_map(|part| part.pieces);
        pieces.map(|piece| (piece.tag, piece.records)).collect()
    }

    fn minimal(self) -> Self {
        let pieces = self.each().map(|piece| {
            let line = document::minimal(wire::document(&piece.bytes));
            Piece {
                bytes: wire::with_document(&piece.bytes, &line).into(),
                ..piece
            }
        });
        Self {
            pieces: pieces.collect(),
            state: self.state,
        }
    }

    /// Returns how many of the first records fit into so many bytes; at least one.
    fn fitting(&self, bytes: usize) -> usize {
        let mut end = 0;
        let fits = self.each().take_while(|record| {
            end += record.bytes.len();
            end <= bytes
        });
        fits.count().max(1)
    }

    /// The records of this range, not copied.
    fn range(&self, range: &Range<usize>) -> Vec<Piece> {
        let mut start = 0;
        let mut parts = Vec::new();
        for piece in &self.pieces {
            let end = start + piece.records;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                parts.push(piece.range(from - start..to - start));
            }
            start = end;
        }
        parts
    }

    /// The same in memory of its own, so that the larger chunk that it is a part of can be
    /// released.
    pub(crate) fn detached(mut self) -> Self {
        for piece in &mut self.pieces {
            piece.bytes = Bytes::copy_from_slice(&piece.bytes);
        }
        self
    }
}

impl Piece {
    fn range(&self, range: Range<usize>) -> Self {
        if range == (0..self.records) {
            return self.clone();
        }
        // Where each record ends.
        let mut ends = wire::records(&self.bytes).scan(0, |end, record| {
            *end += record.len();
            Some(*end)
        });
        let start = match range.start {
            0 => 0,
            skipped => ends.nth(skipped - 1).unwrap_or(self.bytes.len()),
        };
        let last = if range.end == self.records {
            self.bytes.len()
        } else {
            ends.nth(range.len() - 1).unwrap_or(self.bytes.len())
        };
        Self {
            bytes: self.bytes.slice(start..last),
            records: range.len(),
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
        fn parts_of_a_batch_are_the_batch(
            pieces in prop::collection::vec(prop::collection::vec(0..400_usize, 1..8), 1..6),
            bytes in 0..6_000_usize,
            at in any::<prop::sample::Index>(),
        ) {
            let whole = batch(&pieces);
            let shown = |batch: &Batch| batch.each().map(|piece| (piece.bytes, piece.tag)).collect::<Vec<_>>();
            let all = shown(&whole);
            let part = |records: Records| whole.select(&records, &whole.state);

            let parts = whole.split(bytes);
            let [first, rest] = &parts[..] else { panic!("two parts") };
            prop_assert!(first.records() > 0);
            prop_assert!(first.bytes() <= bytes || first.records() == 1);
            if let Some(next) = rest.each().next() {
                prop_assert!(first.bytes() + next.bytes.len() > bytes, "there was room for one more");
            }
            prop_assert_eq!([shown(first), shown(rest)].concat(), all.clone());

            let middle = at.index(whole.records() + 1);
            for (range, expected) in [(0..middle, &all[..middle]), (middle..all.len(), &all[middle..])] {
                let part = part(Records::Range(range)).unwrap();
                prop_assert_eq!(part.records(), expected.len());
                prop_assert_eq!(shown(&part), expected);
            }
            let these: Vec<usize> = (0..all.len()).filter(|at| at % 3 == 1).collect();
            let expected: Vec<_> = these.iter().map(|at| all[*at].clone()).collect();
            prop_assert_eq!(shown(&part(Records::These(these)).unwrap()), expected);
            prop_assert_eq!(shown(&part(Records::All).unwrap()), all);
            prop_assert!(part(Records::None).is_none());
        }
    }
}
