use std::time::SystemTime;

/// The format of records in the buffer, such as [`Lines`].
pub trait Framing {
    /// The number of bytes that framing adds to each line.
    const OVERHEAD: usize;

    /// Appends a framed line to `out`.
    ///
    /// The line contains no line feed. Implementations append its bytes and exactly
    /// [`OVERHEAD`](Self::OVERHEAD) further bytes.
    fn frame(&mut self, out: &mut Vec<u8>, line: &[u8]);

    /// Receives the current time, once per complete chunk. Default: does nothing.
    fn tick(&mut self, _now: SystemTime) {}
}

/// Frames each record as a line that ends with a line feed.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "its name is its only value")]
pub struct Lines;

impl Framing for Lines {
    const OVERHEAD: usize = 1;

    #[inline]
    fn frame(&mut self, out: &mut Vec<u8>, line: &[u8]) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}
