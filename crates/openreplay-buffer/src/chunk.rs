use tracing_core::Level;

/// Records that lie one after the other in memory, framed.
#[derive(Debug, Default)]
pub struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: usize,
    /// Its name in the ledger; 0 is none.
    pub(crate) id: u64,
}

impl Chunk {
    /// Returns the number under which to report what became of its records; unique in its buffer.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns how many records it has.
    pub fn records(&self) -> usize {
        self.records
    }

    pub(crate) fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }
}

/// Which records outlive the others when the buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the buffer has two kinds of memory"
)]
pub enum Priority {
    /// Debug and info records: dropped first.
    Low,
    /// Warnings and errors: taken first.
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
