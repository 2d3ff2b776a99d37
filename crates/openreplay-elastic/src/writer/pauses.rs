use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Shared;
use crate::bulk::{Pause, Pauses};

/// While a caller waits for the remaining records.
const HURRIED: Duration = Duration::from_millis(250);

/// A flush ends our own pause, the end every pause; pauses that begin during either are short.
impl Pauses for Shared {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn is_flushing(&self) -> bool {
        self.is_ending() || self.is_awaited()
    }

    async fn pause(&self, pause: Pause) {
        let mut end = self.end();
        let mut flush = pin!(self.flushed());
        // from now on, not only once it is waited for
        flush.as_mut().enable();
        let is_ending = end.borrow_and_update().is_some();
        let (least, whole) = match (is_ending, self.is_awaited()) {
            (true, _) => (pause.least.min(HURRIED), pause.whole.min(HURRIED)),
            (false, true) => (pause.least, pause.whole.min(HURRIED).max(pause.least)),
            (false, false) => (pause.least, pause.whole),
        };
        let over = async {
            sleep(least).await;
            tokio::select! {
                () = sleep(whole.saturating_sub(least)) => {}
                () = flush => {}
            }
        };
        tokio::select! {
            () = over => {}
            _ = end.changed() => {}
        }
    }
}
