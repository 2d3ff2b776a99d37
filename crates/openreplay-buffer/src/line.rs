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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Diagnostics, Lines, Options};

    proptest! {
        #[test]
        fn lines_are_the_same_however_they_are_written(
            pieces in prop::collection::vec(r#"\{"level":"(error|info)"\}|\{\}|[ a{}]{0,3}|\n|\r\n"#, 0..12),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let text = pieces.concat();
            let mut cuts: Vec<_> = cuts.iter().map(|at| at.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let buffer = Buffer::new(Options::new("the store"), Lines, Diagnostics::to(|_| {}));
            let mut writer = LineWriter::new(&buffer, Some(Priority::Low));
            for cut in cuts.windows(2) {
                writer.write_all(&text.as_bytes()[cut[0]..cut[1]]).unwrap();
            }
            drop(writer);

            let lines = text.split('\n').map(|line| line.trim_matches([' ', '\r']));
            let (records, others): (Vec<_>, Vec<_>) = lines
                .filter(|line| !line.is_empty())
                .partition(|line| line.starts_with('{') && line.ends_with('}') && line.len() > 1);
            let stats = buffer.stats();
            prop_assert_eq!((stats.queued, stats.rejected), (records.len() as u64, others.len() as u64));
            let taken: Vec<u8> = buffer.take().iter().flat_map(|chunk| chunk.bytes.clone()).collect();
            let expected: String = records.iter().map(|line| format!("{line}\n")).collect();
            prop_assert_eq!(String::from_utf8_lossy(&taken), expected);
        }
    }
}
