use std::io::{self, Write};

use super::queue::Lane;
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
}

impl Write for Line<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
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
