use std::io::{self, Write};

use openreplay_buffer::Priority;

use super::Shared;
use crate::bulk::Ids;

/// A writer for the text of one record, in any number of writes.
///
/// The record is sent once its line feed is written, or when the writer is dropped. Writing never
/// fails.
#[derive(Debug)]
#[must_use = "it does nothing until it is written to"]
pub struct LineWriter<'a>(openreplay_buffer::LineWriter<'a, Ids>);

impl<'a> LineWriter<'a> {
    pub(super) fn new(shared: &'a Shared, priority: Option<Priority>) -> Self {
        Self(openreplay_buffer::LineWriter::new(shared, priority))
    }
}

impl Write for LineWriter<'_> {
    #[inline]
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
