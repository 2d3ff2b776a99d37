//! The time between two attempts, and what may end it.

use std::time::Instant;

use super::pace::Pause;

/// How a delivery waits.
pub(crate) trait Pauses {
    fn now(&self) -> Instant;

    /// Whether a flush waits for the remaining records.
    fn is_flushing(&self) -> bool {
        false
    }

    /// Waits until the pause is over, or is ended.
    async fn pause(&self, pause: Pause);
}

/// Nothing ends a pause.
#[cfg(feature = "ship")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patient;

#[cfg(feature = "ship")]
impl Pauses for Patient {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn pause(&self, pause: Pause) {
        tokio::time::sleep(pause.whole).await;
    }
}
