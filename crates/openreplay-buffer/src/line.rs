use std::fmt;
use std::io::{self, Write};

use crate::{Buffer, Framing, Priority};

/// A writer that pushes lines into a [`Buffer`].
///
/// Each line is pushed once its line feed is written, and the remaining text when the writer is
/// dropped. Writing never fails.
#[must_use = "it does nothing until it is written to"]
pub struct LineWriter<'a, F: Framing> {
    buffer: &'a Buffer<F>,
    priority: Option<Priority>,
    /// The text of a line that is not complete yet.
    rest: Vec<u8>,
}

impl<'a, F: Framing> LineWriter<'a, F> {
    /// Creates a writer. If `priority` is `None`, the `level` in each line determines its priority.
    pub fn new(buffer: &'a Buffer<F>, priority: Option<Priority>) -> Self {
        Self {
            buffer,
            priority,
            rest: Vec::new(),
        }
    }

    #[cold]
    fn write_piece(&mut self, text: &[u8]) {
        let ended = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
        let (whole, rest) = text.split_at(ended);
        if !whole.is_empty() {
            if self.rest.is_empty() {
                self.buffer.push(whole, self.priority);
            } else {
                self.rest.extend_from_slice(whole);
                self.buffer.push(&self.rest, self.priority);
                self.rest.clear();
            }
        }
        self.rest.extend_from_slice(rest);
    }
}

impl<F: Framing> fmt::Debug for LineWriter<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineWriter").finish_non_exhaustive()
    }
}

impl<F: Framing> Write for LineWriter<'_, F> {
    #[inline]
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        match memchr::memchr(b'\n', text) {
            // Nearly all records are written in one piece.
            Some(at) if at + 1 == text.len() && self.rest.is_empty() => {
                self.buffer.push_line(&text[..at], self.priority);
            }
            _ => self.write_piece(text),
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: Framing> Drop for LineWriter<'_, F> {
    fn drop(&mut self) {
        if !self.rest.is_empty() {
            self.buffer.push(&self.rest, self.priority);
        }
    }
}
