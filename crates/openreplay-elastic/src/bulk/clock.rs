//! The time between two attempts, and what may end it.

use std::time::Instant;

use super::backoff::Delay;

/// How a delivery waits.
pub(crate) trait Clock {
    fn now(&self) -> Instant;

    /// Whether a flush waits for the remaining records.
    fn is_flushing(&self) -> bool {
        false
    }

    /// Waits until the delay is over, or is ended.
    async fn sleep(&self, delay: Delay);
}

/// A clock whose delays nothing ends.
#[cfg(feature = "ship")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

#[cfg(feature = "ship")]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, delay: Delay) {
        tokio::time::sleep(delay.full).await;
    }
}
