use std::borrow::Cow;

use super::position::Part;
use crate::bulk::{self, Action, LENGTH, change_digits, write_digits};

const SEED: usize = 11;

/// Lines made ready to be sent, and where they stood.
#[derive(Debug, Default)]
pub(super) struct Framed {
    pub(super) body: Vec<u8>,
    pub(super) records: usize,
    /// How many of the records are lines that were none.
    pub(super) wrapped: usize,
    pub(super) parts: Vec<Part>,
}

/// Makes the `_id` of each line of one file: its seed and the line's offset.
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

/// How far a [`Framed`] was.
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

    /// Forgets the lines taken since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.body.truncate(mark.body);
        self.records = mark.records;
        self.wrapped = mark.wrapped;
    }

    /// Takes whole lines from `text`, which starts at `offset` of its file, until there is enough; says how far it got.
    pub(super) fn take(
        &mut self,
        text: &[u8],
        offset: u64,
        ids: &mut LineIds,
        enough: usize,
    ) -> usize {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            self.line(&text[start..end], offset + start as u64, ids);
            start = end + 1;
            if self.body.len() >= enough {
                break;
            }
        }
        start
    }

    /// Takes one line, without its end.
    pub(super) fn line(&mut self, line: &[u8], offset: u64, ids: &mut LineIds) {
        let Some(record) = bulk::record_of_line(line, offset) else {
            return;
        };
        self.wrapped += usize::from(matches!(record, Cow::Owned(_)));
        ids.at(offset).frame(&mut self.body, &record);
        self.records += 1;
    }
}
