use std::time::SystemTime;

/// How records lie in the buffer: what is written before and after each line.
pub trait Framing {
    /// The number of bytes by which a line grows.
    const OVERHEAD: usize;

    /// Appends a line, which contains no line feed, and exactly [`OVERHEAD`](Self::OVERHEAD) bytes.
    fn frame(&mut self, out: &mut Vec<u8>, line: &[u8]);

    /// Tells the time, once for each chunk that is complete. Default: nothing.
    fn tick(&mut self, _now: SystemTime) {}
}

/// One record a line, each with its line feed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines;

impl Framing for Lines {
    const OVERHEAD: usize = 1;

    #[inline]
    fn frame(&mut self, out: &mut Vec<u8>, line: &[u8]) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}
