//! Batch after batch, each until all of its records are stored or rejected.

use std::collections::VecDeque;

use super::aside::Aside;
use super::attempt::{Left, Link};
use super::batch::Batch;
use super::decide::Wait;
use super::pace::{self, Pause};
use super::pause::Pauses;
use super::report::Events;
use super::wire::{HttpWire, Target, Wire};

/// Delivers records by one request after the other.
#[derive(Debug)]
pub(crate) struct Delivery<W = HttpWire> {
    link: Link<W>,
    aside: Aside,
}

impl Delivery {
    /// Creates a delivery over HTTP that compresses what it sends at a level of 1 to 9, if there is
    /// one.
    pub(crate) fn new(target: Target, gzip: Option<u32>) -> Self {
        Self::over(HttpWire::new(target, gzip))
    }
}

impl<W: Wire> Delivery<W> {
    pub(super) fn over(wire: W) -> Self {
        Self {
            link: Link::new(wire),
            aside: Aside::default(),
        }
    }

    /// Delivers a batch, but for a few records that may have to be set aside: see
    /// [`retry`](Self::retry).
    ///
    /// If the future is dropped, what became of the remaining records is never told.
    pub(crate) async fn deliver(
        &mut self,
        batch: Batch,
        events: &impl Events,
        pauses: &impl Pauses,
    ) {
        self.work_off(VecDeque::from([batch]), false, events, pauses)
            .await;
        self.retry(events, pauses).await;
    }

    /// Returns how many bytes a request may have for now: longer batches are cut.
    #[cfg(feature = "ship")]
    pub(crate) fn room(&self) -> usize {
        self.link.room()
    }

    /// Waits until something that was set aside is due; forever if nothing is set aside.
    pub(crate) async fn until_due(&self, pauses: &impl Pauses) {
        match self.aside.pause(pauses.now()) {
            Some(pause) => pauses.pause(pause).await,
            None => std::future::pending().await,
        }
    }

    /// Sends what was set aside and is due.
    pub(crate) async fn retry(&mut self, events: &impl Events, pauses: &impl Pauses) {
        let due = self.aside.take_due(pauses.now(), pauses.is_flushing());
        let due = due.collect();
        self.work_off(due, true, events, pauses).await;
    }

    /// Delivers all that was set aside: at once, and then as it is due.
    pub(crate) async fn finish(&mut self, events: &impl Events, pauses: &impl Pauses) {
        let all = self.aside.take_all().collect();
        self.work_off(all, true, events, pauses).await;
        while self.aside.pause(pauses.now()).is_some() {
            self.until_due(pauses).await;
            self.retry(events, pauses).await;
        }
    }

    async fn work_off(
        &mut self,
        mut work: VecDeque<Batch>,
        is_aside: bool,
        events: &impl Events,
        pauses: &impl Pauses,
    ) {
        while let Some(mut batch) = work.pop_front() {
            let Left { batches, wait } = self.link.attempt(&mut batch, events, pauses).await;
            let pause = wait.map(pause);
            if let (Some(wait), Some(pause)) = (wait, pause)
                && (is_aside || self.aside.has_room_for(&batches, wait.aside))
            {
                self.aside.put(pauses.now(), pause, batches);
                continue;
            }
            for batch in batches.into_iter().rev() {
                work.push_front(batch);
            }
            if let Some(pause) = pause {
                pauses.pause(pause).await;
            }
        }
    }
}

fn pause(wait: Wait) -> Pause {
    pace::pause(wait.nth, wait.retry, fastrand::f64())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::super::pace::Pace;
    use super::*;

    /// Senders that failed at the same moment do not return at the same moment.
    #[test]
    fn pauses_differ_from_sender_to_sender() {
        let wait = Wait {
            retry: Pace::Soon.into(),
            nth: 1,
            aside: 0,
            probe: false,
        };
        let pauses: BTreeSet<_> = (0..20).map(|_| pause(wait).whole).collect();
        assert!(pauses.len() > 10, "{pauses:?}");
        let range = Duration::from_millis(50)..=Duration::from_millis(100);
        assert!(
            pauses.iter().all(|pause| range.contains(pause)),
            "{pauses:?}"
        );
    }
}
