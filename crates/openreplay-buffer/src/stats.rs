/// The numbers of records so far, by outcome.
///
/// At every moment, `accepted == indexed + rejected + dropped + queued`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Lines pushed into the buffer, including the buffer's own records about drops.
    pub accepted: u64,
    /// Records that are stored.
    pub indexed: u64,
    /// Lines that are not JSON objects or are longer than a quarter of the buffer, and records that
    /// the store rejected, also in their minimal form.
    pub rejected: u64,
    /// Records that were dropped because the buffer was full or the shutdown's time limit passed.
    pub dropped: u64,
    /// Records that are waiting or being sent.
    pub queued: u64,
}

/// The result of a flush or a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "this tells whether records remained undecided"]
pub struct Flushed {
    pub(crate) left: u64,
}

impl Flushed {
    /// Returns whether every record from before the call was stored, rejected or dropped.
    pub fn is_complete(self) -> bool {
        self.left == 0
    }

    /// Returns the number of records that were still queued when the time limit passed.
    pub fn left(self) -> u64 {
        self.left
    }
}
