use openreplay_record::is_object;
use serde::de::IgnoredAny;

use super::checkpoint::Part;
use crate::bulk::{self, Action, LENGTH, change_digits, write_digits};

const SEED: usize = 11;
/// What some editors and loggers of Windows start a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Lines made ready to be sent, and where they stood.
#[derive(Debug, Default)]
pub(crate) struct Framed {
    pub(crate) body: Vec<u8>,
    pub(super) records: usize,
    /// How many of the records are lines that were none.
    pub(crate) wrapped: usize,
    pub(super) parts: Vec<Part>,
}

/// Makes the `_id` of each line of one file: its seed and the line's offset.
pub(crate) struct LineIds {
    next: Action,
    offset: u64,
}

impl LineIds {
    pub(crate) fn new(seed: u64) -> Self {
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
    pub(crate) fn line(&mut self, line: &[u8], offset: u64, ids: &mut LineIds) {
        let line = without_mark(line, offset).trim_ascii_end();
        let object = line.trim_ascii_start();
        if is_object(object) {
            ids.at(offset).frame(&mut self.body, object);
        } else if line.is_empty() {
            return;
        } else {
            ids.at(offset).frame(&mut self.body, &bulk::wrapped(line));
            self.wrapped += 1;
        }
        self.records += 1;
    }
}

/// Whether a line is a record, though its end may be missing: nothing can follow that is part of it.
pub(super) fn is_whole(line: &[u8], offset: u64) -> bool {
    let object = without_mark(line, offset).trim_ascii();
    is_object(object) && serde_json::from_slice::<IgnoredAny>(object).is_ok()
}

fn without_mark(line: &[u8], offset: u64) -> &[u8] {
    let rest = line.strip_prefix(BYTE_ORDER_MARK);
    rest.filter(|_| offset == 0).unwrap_or(line)
}
