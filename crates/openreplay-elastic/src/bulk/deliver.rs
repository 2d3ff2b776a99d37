//! Batch after batch, each until all of its records are stored or refused.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::batch::Batch;
use super::gzip::Gzip;
use super::place::Place;
use super::target::Target;
use crate::diagnostics::Topic;
use crate::retry::{self, Again};

/// What a delivery tells while it goes on.
pub(crate) trait Events {
    /// Records are stored.
    fn stored(&self, tag: u64, records: usize);
    /// A record was refused, in its minimal form too.
    fn refused(&self, tag: u64, why: &str);
    /// Something that the operator may want to know.
    fn say(&self, topic: Topic, text: &str);
}

/// Delivers records by one request after the other.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(super) target: Target,
    pub(super) gzip: Option<Gzip>,
    pub(super) place: Place,
}

/// What became of an attempt.
pub(super) enum Attempt {
    Done,
    /// These are left, to be sent at once or after a pause.
    Left(Vec<Batch>, Option<(Again, u32)>),
}

impl Attempt {
    /// All of it once more.
    pub(super) fn again(batch: &mut Batch, how: Again) -> Self {
        let attempts = batch.attempts;
        Self::Left(vec![std::mem::take(batch)], Some((how, attempts)))
    }
}

impl Delivery {
    pub(crate) fn new(target: Target, gzip: Option<u32>) -> Self {
        Self {
            target,
            gzip: gzip.map(Gzip::new),
            place: Place::default(),
        }
    }

    /// Delivers it all. `hurry` ends a wait between two attempts, unless it is Elasticsearch that asked for it.
    ///
    /// Dropping the future gives up what has not been told of yet.
    pub(crate) async fn deliver(&mut self, batch: Batch, events: &impl Events, hurry: &Notify) {
        let mut work = VecDeque::from([batch]);
        while let Some(mut batch) = work.pop_front() {
            match self.attempt(&mut batch, events).await {
                Attempt::Done => {}
                Attempt::Left(left, pause) => {
                    for batch in left.into_iter().rev() {
                        work.push_front(batch);
                    }
                    if let Some((again, attempts)) = pause {
                        wait(again, attempts, hurry).await;
                    }
                }
            }
        }
    }
}

/// Waits before the next attempt, less long in a hurry.
async fn wait(again: Again, attempts: u32, hurry: &Notify) {
    /// However often somebody is in a hurry.
    const LEAST: Duration = Duration::from_millis(50);

    let now = Instant::now();
    let pause = retry::pause(attempts, again, fastrand::f64());
    let least = pause.min(again.at_least.unwrap_or_default().max(LEAST));
    tokio::select! {
        () = sleep_until(now + pause) => {}
        () = hurry.notified() => sleep_until(now + least).await,
    }
}
