//! Records as `_bulk` wants them, and where their lines stood.

use super::position::Part;
use super::record::{LineReader, RawLine};
use crate::bulk::{Action, LENGTH, change_digits, write_digits};

const SEED: usize = 11;

/// Records that are ready to be sent, and the stretches of the files that they came from.
#[derive(Debug, Default)]
pub(super) struct Framed {
    pub(super) body: Vec<u8>,
    pub(super) records: usize,
    /// How many of the records are lines that were not JSON objects.
    pub(super) wrapped: usize,
    pub(super) parts: Vec<Part>,
}

/// Creates the `_id` of each line of one file from the file's seed and the line's offset.
pub(super) struct LineIds {
    next: Action,
    offset: u64,
}

impl LineIds {
    pub(super) fn new(seed: u64) -> Self {
        let mut id = [b'-'; LENGTH];
        write_digits(seed, &mut id[..SEED]);
        Self {
            next: Action::new(id),
            offset: 0,
        }
    }

    fn at(&mut self, offset: u64) -> &Action {
        change_digits(self.offset, offset, &mut self.next.id_mut()[SEED..]);
        self.offset = offset;
        &self.next
    }
}

/// What turns the lines of one file into framed records.
pub(super) struct LineFramer {
    pub(super) reader: LineReader,
    ids: LineIds,
}

impl LineFramer {
    pub(super) fn new(seed: u64, reader: LineReader) -> Self {
        Self {
            reader,
            ids: LineIds::new(seed),
        }
    }
}

/// The length of a [`Framed`] at some time.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    body: usize,
    records: usize,
    wrapped: usize,
}

impl Framed {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            body: self.body.len(),
            records: self.records,
            wrapped: self.wrapped,
        }
    }

    /// Removes the records that were added since.
    pub(super) fn truncate(&mut self, mark: Mark) {
        self.body.truncate(mark.body);
        self.records = mark.records;
        self.wrapped = mark.wrapped;
    }

    /// Adds whole lines of `text`, which starts at `offset` of its file, until the body has `enough` bytes. Returns the length of
    /// the text that it used.
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
        let Some(record) = framer.reader.read(line) else {
            return;
        };
        self.wrapped += usize::from(record.is_wrapped);
        let action = framer.ids.at(record.start);
        action.frame(&mut self.body, &record.document);
        self.records += 1;
    }
}
