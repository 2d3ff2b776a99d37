/// What became of the lines so far. At every moment
/// `accepted == indexed + refused + dropped + queued`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Lines given to the writer, and notices of its own.
    pub accepted: u64,
    /// Stored in Elasticsearch.
    pub indexed: u64,
    /// Not a record (no JSON object, or longer than the buffer takes), or refused by Elasticsearch in the minimal form
    /// too.
    pub refused: u64,
    /// Given up: the buffer was full, or the time to shut down was over.
    pub dropped: u64,
    /// Waiting, or on their way.
    pub queued: u64,
}

/// What a flush or a shutdown came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it says whether records were left"]
pub struct Flushed {
    pub(super) left: u64,
}

impl Flushed {
    /// Whether every record from before is decided: stored, refused or dropped.
    pub fn is_complete(self) -> bool {
        self.left == 0
    }

    /// How many records were left when the time was over.
    pub fn left(self) -> u64 {
        self.left
    }
}
