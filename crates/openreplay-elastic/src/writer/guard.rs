use std::sync::Arc;
use std::time::Duration;

use super::{Flushed, Shared, Stats};

/// A guard that sends the remaining records when it is dropped, for at most the
/// [`shutdown_timeout`](super::ElasticWriterBuilder::shutdown_timeout).
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

    /// Waits until every record from before this call is stored, rejected or dropped, for at most
    /// `limit`. Blocks the thread: in async code, use `spawn_blocking`.
    ///
    /// Waiting records are sent at once. A pause between two attempts is cut short, unless
    /// Elasticsearch requested it.
    pub fn flush(&self, limit: Duration) -> Flushed {
        self.shared.flush(limit)
    }

    /// Sends the remaining records, for at most `limit`, then ends the writer and returns how many
    /// it had to drop. Blocks the thread.
    pub fn shutdown(self, limit: Duration) -> Flushed {
        self.shared.shut_down(limit)
    }

    /// Returns what became of the lines so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.shared.shut_down(self.limit);
    }
}
