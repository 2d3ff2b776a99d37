use std::sync::Arc;
use std::time::Duration;

use super::{Flushed, Shared, Stats};

/// Keeps the writer alive: when it is dropped, what is left is sent, for as long as
/// [`shutdown_timeout`](super::ElasticWriterBuilder::shutdown_timeout) says, and then no more.
#[derive(Debug)]
#[must_use = "dropped at once, it ends the writer at once: keep it until the end of `main`"]
pub struct Guard {
    shared: Arc<Shared>,
    limit: Duration,
}

impl Guard {
    pub(super) fn new(shared: Arc<Shared>, limit: Duration) -> Self {
        Self { shared, limit }
    }

    /// Waits until every record from before this call is decided, for `limit` at most. Blocks the thread: in async code
    /// call it by `spawn_blocking`.
    ///
    /// What waits is sent at once. A pause between two attempts is cut short, but not one that Elasticsearch asked for.
    pub fn flush(&self, limit: Duration) -> Flushed {
        self.shared.flush(limit)
    }

    /// Sends what is left, for `limit` at most, then ends the writer and says how much it had to give up. Blocks the
    /// thread.
    pub fn shutdown(self, limit: Duration) -> Flushed {
        self.shared.shut_down(limit)
    }

    /// What became of the lines so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.shared.shut_down(self.limit);
    }
}
