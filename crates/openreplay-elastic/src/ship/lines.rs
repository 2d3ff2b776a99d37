//! Records in the format of `_bulk`, and the places of their lines.

use super::faults::Faults;
use super::position::{Part, Start};
use super::record::{LineReader, RawLine};
use crate::bulk::{Action, LENGTH, change_digits, write_digits};
use crate::document::{self, Stored};

const SEED: usize = 11;

/// Records that are ready to be sent, and the sections of the files that they came from.
#[derive(Debug, Default)]
pub(super) struct Framed {
    pub(super) body: Vec<u8>,
    pub(super) records: usize,
    /// How many of the records are lines that were not JSON objects.
    pub(super) wrapped: usize,
    /// How many NUL bytes before lines were skipped.
    pub(super) nuls: u64,
    pub(super) faults: Faults,
    pub(super) parts: Vec<Part>,
}

/// Creates the `_id` of each line from the seed of its file and the line's offset.
pub(super) struct LineIds {
    next: Action,
    last: Start,
}

impl LineIds {
    pub(super) fn new(seed: u64) -> Self {
        let mut id = [b'-'; LENGTH];
        write_digits(seed, &mut id[..SEED]);
        Self {
            next: Action::new(id),
            last: Start { seed, offset: 0 },
        }
    }

    fn at(&mut self, start: Start) -> &Action {
        let id = self.next.id_mut();
        if start.seed != self.last.seed {
            // The line begins in the previous file.
            write_digits(start.seed, &mut id[..SEED]);
        }
        change_digits(self.last.offset, start.offset, &mut id[SEED..]);
        self.last = start;
        &self.next
    }
}

/// Turns the lines of one file into framed records.
pub(super) struct LineFramer {
    pub(super) reader: LineReader,
    ids: LineIds,
}

impl LineFramer {
    pub(super) fn new(reader: LineReader) -> Self {
        Self {
            ids: LineIds::new(reader.seed),
            reader,
        }
    }
}

/// The length of a [`Framed`] at some point.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    body: usize,
    records: usize,
    wrapped: usize,
    nuls: u64,
    faults: Faults,
}

impl Framed {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            body: self.body.len(),
            records: self.records,
            wrapped: self.wrapped,
            nuls: self.nuls,
            faults: self.faults,
        }
    }

    /// Removes the records that were added since.
    pub(super) fn truncate(&mut self, mark: Mark) {
        self.body.truncate(mark.body);
        self.records = mark.records;
        self.wrapped = mark.wrapped;
        self.nuls = mark.nuls;
        self.faults = mark.faults;
    }

    /// Adds whole lines of `text`, which starts at `offset` of its file, until the body has
    /// `enough` bytes. Returns how many bytes of `text` were used.
    pub(super) fn add_lines(
        &mut self,
        text: &[u8],
        offset: u64,
        framer: &mut LineFramer,
        enough: usize,
    ) -> usize {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            let line = RawLine {
                bytes: &text[start..end],
                start: offset + start as u64,
            };
            self.add_line(line, framer);
            start = end + 1;
            if self.body.len() >= enough {
                break;
            }
        }
        start
    }

    pub(super) fn add_line(&mut self, line: RawLine<'_>, framer: &mut LineFramer) {
        let LineFramer { reader, ids } = framer;
        let bytes = document::without_nuls(line.bytes);
        self.nuls += (line.bytes.len() - bytes.len()) as u64;
        let line = RawLine { bytes, ..line };
        reader.read(line, |start, stored| self.add(ids.at(start), stored));
    }

    /// Adds the lines whose remaining pieces are no longer awaited.
    pub(super) fn add_over(&mut self, framer: &mut LineFramer) {
        let LineFramer { reader, ids } = framer;
        reader.read_over(|start, stored| self.add(ids.at(start), stored));
    }

    fn add(&mut self, action: &Action, stored: &Stored<'_>) {
        action.frame(&mut self.body, &stored.document);
        self.records += 1;
        if stored.is_wrapped {
            self.wrapped += 1;
        } else {
            self.faults.examine(&stored.document);
        }
    }
}
