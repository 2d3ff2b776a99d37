use std::io::{self, Write};

use super::chunk::Lane;
use super::shared::Shared;

/// Takes one record's text, in as many writes as the layer likes; it goes on its way when it ends with a line feed, or
/// when this is dropped. Writing never fails.
#[derive(Debug)]
#[must_use = "it only takes what is written to it"]
pub struct Line<'a> {
    shared: &'a Shared,
    lane: Option<Lane>,
    /// What does not end with a line feed yet.
    rest: Vec<u8>,
}

impl<'a> Line<'a> {
    pub(super) fn new(shared: &'a Shared, lane: Option<Lane>) -> Self {
        Self {
            shared,
            lane,
            rest: Vec::new(),
        }
    }

    #[cold]
    fn write_piece(&mut self, text: &[u8]) {
        let ended = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
        let (whole, rest) = text.split_at(ended);
        if !whole.is_empty() {
            if self.rest.is_empty() {
                self.shared.push(whole, self.lane);
            } else {
                self.rest.extend_from_slice(whole);
                self.shared.push(&self.rest, self.lane);
                self.rest.clear();
            }
        }
        self.rest.extend_from_slice(rest);
    }
}

impl Write for Line<'_> {
    #[inline]
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match memchr::memchr(b'\n', text) {
            // a record in one piece, as nearly all come
            Some(at) if at + 1 == text.len() && self.rest.is_empty() => {
                self.shared.push_line(&text[..at], self.lane);
            }
            _ => self.write_piece(text),
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.rest.is_empty() {
            self.shared.push(&self.rest, self.lane);
        }
    }
}
