/// What became of the records so far. At every moment
/// `accepted == indexed + rejected + dropped + queued`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Lines given to the buffer, and notices of its own.
    pub accepted: u64,
    /// Stored.
    pub indexed: u64,
    /// Not a record (not a JSON object, or longer than a quarter of the buffer), or rejected by the
    /// store, in its minimal form too.
    pub rejected: u64,
    /// Dropped: the buffer was full, or the time to shut down was over.
    pub dropped: u64,
    /// Waiting, or on their way.
    pub queued: u64,
}

/// The result of a flush or a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it tells whether records were left"]
pub struct Flushed {
    pub(crate) left: u64,
}

impl Flushed {
    /// Whether every record from before is decided: stored, rejected or dropped.
    pub fn is_complete(self) -> bool {
        self.left == 0
    }

    /// Returns how many records were undecided when the time was over.
    pub fn left(self) -> u64 {
        self.left
    }
}
