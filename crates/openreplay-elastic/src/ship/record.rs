//! Turns a line of a file into a record.

use super::position::{Pieces, Start};
use crate::document::{self, Stored};
use crate::envelope::{Format, Line};

/// A line as it is in its file, without its line feed.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawLine<'a> {
    pub(super) bytes: &'a [u8],
    /// The offset of its first byte in the file.
    pub(super) start: u64,
}

impl RawLine<'_> {
    /// The offset after its last byte in the file.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// Creates records from the lines of one file, which are passed in file order.
#[derive(Clone, Debug, Default)]
pub(super) struct LineReader {
    pub(super) format: Format,
    /// The seed of the file.
    pub(super) seed: u64,
    /// The beginnings of lines that a container runtime wrote in pieces, until the remaining pieces
    /// are read.
    pub(super) pieces: Pieces,
}

impl LineReader {
    /// Calls `record` with the record of the line and where the line begins, unless there is no
    /// record or more pieces follow.
    pub(super) fn read(&mut self, line: RawLine<'_>, record: impl FnMut(Start, &Stored<'_>)) {
        let start = Start {
            seed: self.seed,
            offset: line.start,
        };
        match self.format.unwrap(line.bytes) {
            Some(piece) => {
                let start = piece.entry.map_or(start, Start::of_entry);
                pass(self.pieces.take(piece, start), record);
            }
            None => {
                let stored = document::record_of_line(line.bytes, line.start);
                let mut record = record;
                if let Some(stored) = stored {
                    record(start, &stored);
                }
            }
        }
    }

    /// Calls `record` with the records of lines whose remaining pieces are no longer awaited.
    pub(super) fn read_over(&mut self, mut record: impl FnMut(Start, &Stored<'_>)) {
        while let Some(line) = self.pieces.take_over() {
            pass(Some(line), &mut record);
        }
    }
}

fn pass(line: Option<Line<'_, Start>>, mut record: impl FnMut(Start, &Stored<'_>)) {
    let Some(line) = line else { return };
    if let Some(stored) = document::record_from(&line.text, &line.origin) {
        record(line.from, &stored);
    }
}
