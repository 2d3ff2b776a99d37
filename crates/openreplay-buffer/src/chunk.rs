use tracing_core::Level;

/// A block of memory with consecutive framed records.
#[derive(Debug, Default)]
pub struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: usize,
    /// The number of the chunk in the ledger, or 0 if it has none.
    pub(crate) id: u64,
}

impl Chunk {
    /// Returns the number of the chunk, which is unique within its buffer.
    ///
    /// Pass it to [`Buffer::stored`](crate::Buffer::stored) and
    /// [`Buffer::rejected`](crate::Buffer::rejected).
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns the number of records in the chunk.
    pub fn records(&self) -> usize {
        self.records
    }

    pub(crate) fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }
}

/// The priority of a record, which determines what is dropped first if the buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the buffer has two kinds of memory"
)]
pub enum Priority {
    /// Debug and info records, which are dropped first.
    Low,
    /// Warnings and errors, which are sent first.
    High,
}

impl From<Level> for Priority {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR | Level::WARN => Self::High,
            _ => Self::Low,
        }
    }
}
