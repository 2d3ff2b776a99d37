use tracing_core::Level;

/// Framed records in one stretch of memory.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) records: usize,
    /// Under which the ledger has it; 0 is none.
    pub(super) id: u64,
}

impl Chunk {
    pub(super) fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }
}

/// Records that have chunks of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Debug and info: given up first.
    Common,
    /// Warnings and errors: sent first.
    Grave,
}

impl From<Level> for Lane {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR | Level::WARN => Self::Grave,
            _ => Self::Common,
        }
    }
}
