use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Shared;
use crate::bulk::{Clock, Delay};

/// While a caller waits for the remaining records.
const HURRIED: Duration = Duration::from_millis(250);

/// A flush ends our own delay, the end every delay; delays that begin during either are short.
impl Clock for Shared {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn is_flushing(&self) -> bool {
        self.is_ending() || self.is_awaited()
    }

    async fn sleep(&self, delay: Delay) {
        let mut end = self.end();
        let mut flush = pin!(self.flushed());
        // from now on, not only once it is waited for
        flush.as_mut().enable();
        let is_ending = end.borrow_and_update().is_some();
        let (at_least, full) = match (is_ending, self.is_awaited()) {
            (true, _) => (delay.at_least.min(HURRIED), delay.full.min(HURRIED)),
            (false, true) => (delay.at_least, delay.full.min(HURRIED).max(delay.at_least)),
            (false, false) => (delay.at_least, delay.full),
        };
        let over = async {
            sleep(at_least).await;
            tokio::select! {
                () = sleep(full.saturating_sub(at_least)) => {}
                () = flush => {}
            }
        };
        tokio::select! {
            () = over => {}
            _ = end.changed() => {}
        }
    }
}
