use std::fmt;
use std::sync::Arc;

use crate::{Buffer, Chunk, Framing};

/// The framed records of a chunk, whose memory returns to the buffer on drop.
pub struct Lent<F: Framing> {
    bytes: Vec<u8>,
    buffer: Arc<Buffer<F>>,
}

impl<F: Framing> Buffer<F> {
    /// Lends the bytes of a chunk until the returned value is dropped.
    ///
    /// The memory counts towards [`Options::memory_bytes`](crate::Options::memory_bytes) until
    /// then.
    pub fn lend(self: &Arc<Self>, chunk: Chunk) -> Lent<F> {
        Lent {
            bytes: chunk.bytes,
            buffer: Arc::clone(self),
        }
    }
}

impl<F: Framing> AsRef<[u8]> for Lent<F> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<F: Framing> Drop for Lent<F> {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.buffer.queue().give_back(bytes);
    }
}

impl<F: Framing> fmt::Debug for Lent<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent")
            .field("bytes", &self.bytes.len())
            .finish()
    }
}
