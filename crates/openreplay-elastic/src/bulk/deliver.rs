//! Batch after batch, each until all of its records are stored or refused.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::Notify;

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

    /// Delivers it all. `hurry` ends a wait between two attempts.
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
                        wait(retry::pause(attempts, again, fastrand::f64()), hurry).await;
                    }
                }
            }
        }
    }
}

async fn wait(pause: Duration, hurry: &Notify) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = hurry.notified() => {}
    }
}
