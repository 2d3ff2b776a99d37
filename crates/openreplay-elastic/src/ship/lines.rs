use serde_json::json;

use super::checkpoint::Part;
use crate::bulk::{self, Action, LENGTH, change_digits, write_digits};

/// How much of a line that is no record is kept: one term of Elasticsearch's, about.
const WRAPPED: usize = 32 * 1024;
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
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if bulk::is_object(line) {
            ids.at(offset).frame(&mut self.body, line);
        } else if line.iter().all(u8::is_ascii_whitespace) {
            return;
        } else {
            ids.at(offset).frame(&mut self.body, &wrap(line));
            self.wrapped += 1;
        }
        self.records += 1;
    }
}

/// A record whose message is the line: what a library printed, or a cut line, is not lost.
fn wrap(line: &[u8]) -> Vec<u8> {
    let kept = &line[..line.len().min(WRAPPED)];
    let mut message = String::from_utf8_lossy(kept).into_owned();
    if kept.len() < line.len() {
        message.push_str(" … (cut)");
    }
    let now = format!("{:.6}", jiff::Timestamp::now());
    json!({"@timestamp": now, "utc_time": now, "level": "info", "message": message})
        .to_string()
        .into_bytes()
}
