//! Batch after batch, each until all of its records are stored or rejected.

use std::collections::VecDeque;

use super::aside::Aside;
use super::backoff::{self, BeforeRetry, Delay};
use super::batch::Batch;
use super::clock::Clock;
use super::observer::Observer;
use super::sender::{Remaining, Sender};
use super::wire::{HttpWire, Target, Wire};

/// Delivers records by one request after the other.
#[derive(Debug)]
pub(crate) struct Delivery<W = HttpWire> {
    sender: Sender<W>,
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
            sender: Sender::new(wire),
            aside: Aside::default(),
        }
    }

    /// Delivers a batch, but for a few records that may have to be set aside: see
    /// [`retry`](Self::retry).
    ///
    /// If the future is dropped, what became of the remaining records is never reported.
    pub(crate) async fn deliver(
        &mut self,
        batch: Batch,
        observer: &impl Observer,
        clock: &impl Clock,
    ) {
        self.work_off(VecDeque::from([batch]), false, observer, clock)
            .await;
        self.retry(observer, clock).await;
    }

    /// Returns how many bytes a request may have for now: longer batches are cut.
    #[cfg(feature = "ship")]
    pub(crate) fn room(&self) -> usize {
        self.sender.room()
    }

    /// Waits until something that was set aside is due; forever if nothing is set aside.
    pub(crate) async fn until_due(&self, clock: &impl Clock) {
        match self.aside.delay(clock.now()) {
            Some(delay) => clock.sleep(delay).await,
            None => std::future::pending().await,
        }
    }

    /// Sends what was set aside and is due.
    pub(crate) async fn retry(&mut self, observer: &impl Observer, clock: &impl Clock) {
        let due = self.aside.take_due(clock.now(), clock.is_flushing());
        let due = due.collect();
        self.work_off(due, true, observer, clock).await;
    }

    /// Delivers all that was set aside: at once, and then as it is due.
    pub(crate) async fn finish(&mut self, observer: &impl Observer, clock: &impl Clock) {
        let all = self.aside.take_all().collect();
        self.work_off(all, true, observer, clock).await;
        while self.aside.delay(clock.now()).is_some() {
            self.until_due(clock).await;
            self.retry(observer, clock).await;
        }
    }

    async fn work_off(
        &mut self,
        mut work: VecDeque<Batch>,
        is_aside: bool,
        observer: &impl Observer,
        clock: &impl Clock,
    ) {
        while let Some(mut batch) = work.pop_front() {
            let attempt = self.sender.attempt(&mut batch, observer, clock);
            let Remaining { batches, before } = attempt.await;
            let delay = before.map(delay);
            if let (Some(before), Some(delay)) = (before, delay)
                && (is_aside || self.aside.has_room_for(&batches, before.set_aside))
            {
                self.aside.put(clock.now(), delay, batches);
                continue;
            }
            for batch in batches.into_iter().rev() {
                work.push_front(batch);
            }
            if let Some(delay) = delay {
                clock.sleep(delay).await;
            }
        }
    }
}

fn delay(before: BeforeRetry) -> Delay {
    backoff::delay(before.nth, before.retry, fastrand::f64())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::bulk::backoff::Backoff;

    /// Senders that failed at the same moment do not return at the same moment.
    #[test]
    fn delays_differ_from_sender_to_sender() {
        let before = BeforeRetry {
            retry: Backoff::Short.into(),
            nth: 1,
            set_aside: 0,
        };
        let delays: BTreeSet<_> = (0..20).map(|_| delay(before).full).collect();
        assert!(delays.len() > 10, "{delays:?}");
        let range = Duration::from_millis(50)..=Duration::from_millis(100);
        assert!(
            delays.iter().all(|delay| range.contains(delay)),
            "{delays:?}"
        );
    }
}
