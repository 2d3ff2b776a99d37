use std::pin::pin;
use std::time::Instant;

use tokio::time::sleep;

use super::shared::Shared;
use crate::bulk::Pauses;
use crate::retry::Pause;

/// A flush ends our own pauses, the end every one.
impl Pauses for Shared {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn pause(&self, pause: Pause) {
        let mut end = self.end.subscribe();
        let mut hurry = pin!(self.hurry.notified());
        // from now on, not only once it is waited for
        hurry.as_mut().enable();
        let over = async {
            sleep(pause.least).await;
            tokio::select! {
                () = sleep(pause.whole.saturating_sub(pause.least)) => {}
                () = hurry => {}
            }
        };
        tokio::select! {
            () = over => {}
            _ = end.changed() => {}
        }
    }
}
