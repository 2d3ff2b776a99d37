//! The time between two attempts, and who may end it.

use std::time::Instant;

use crate::retry::Pause;

/// What a delivery waits by.
pub(crate) trait Pauses {
    fn now(&self) -> Instant;

    /// Whether somebody waits for what is left.
    fn is_hurried(&self) -> bool {
        false
    }

    /// Waits until the pause is over, or somebody ends it who may.
    async fn pause(&self, pause: Pause);
}

/// Nobody ends a pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patient;

impl Pauses for Patient {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn pause(&self, pause: Pause) {
        tokio::time::sleep(pause.whole).await;
    }
}
