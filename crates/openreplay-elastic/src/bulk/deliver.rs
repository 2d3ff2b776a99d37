//! Batch after batch, each until all of its records are stored or refused.

use std::collections::VecDeque;

use super::aside::Aside;
use super::batch::Batch;
use super::gzip::Gzip;
use super::pause::Pauses;
use super::place::Place;
use super::room::Room;
use super::target::Target;
use crate::retry::{self, Again, Pause};
use openreplay_buffer::Topic;

/// What a delivery tells while it goes on.
pub(crate) trait Events {
    /// Records are stored.
    fn stored(&self, tag: u64, records: usize);
    /// A record was refused, in its minimal form too.
    fn refused(&self, tag: u64, why: &str);
    /// Records of a batch that [`stays`](Batch::stays) go to this index from now on. Says whether they may be sent.
    fn moves(&self, _batch: &Batch, _index: &str) -> bool {
        true
    }
    /// Something that the operator may want to know.
    fn say(&self, topic: Topic, text: &str);
}

/// Delivers records by one request after the other.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(super) target: Target,
    pub(super) gzip: Option<Gzip>,
    pub(super) place: Place,
    pub(super) room: Room,
    aside: Aside,
}

/// What became of an attempt.
pub(super) enum Attempt {
    Done,
    /// These are left, to be sent at once or after a while.
    Left(Vec<Batch>, Option<Wait>),
}

/// Until the next attempt.
pub(super) struct Wait {
    pub(super) again: Again,
    pub(super) waits: u32,
    /// So many records may be set aside, not to hold up the others.
    pub(super) aside: usize,
    /// It may be the fault of what is left.
    pub(super) is_doubt: bool,
}

impl Wait {
    pub(super) fn new(batch: &mut Batch, again: Again) -> Self {
        // trouble of another kind has a first pause of its own
        let waits = &mut batch.waits[again.pace as usize];
        *waits += 1;
        Self {
            again,
            waits: *waits,
            aside: 0,
            is_doubt: false,
        }
    }

    fn pause(&self) -> Pause {
        retry::pause(self.waits, self.again, fastrand::f64())
    }
}

impl Delivery {
    pub(crate) fn new(target: Target, gzip: Option<u32>) -> Self {
        Self {
            target,
            gzip: gzip.map(Gzip::new),
            place: Place::default(),
            room: Room::default(),
            aside: Aside::default(),
        }
    }

    /// Delivers a batch, but for a few records that may have to be set aside: see [`retry`](Self::retry).
    ///
    /// Dropping the future gives up what has not been told of yet.
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

    /// Waits until something that was set aside is to be sent again; for ever where nothing is.
    pub(crate) async fn until_due(&self, pauses: &impl Pauses) {
        match self.aside.pause(pauses.now()) {
            Some(pause) => pauses.pause(pause).await,
            None => std::future::pending().await,
        }
    }

    /// Sends what was set aside once more, where it is time to.
    pub(crate) async fn retry(&mut self, events: &impl Events, pauses: &impl Pauses) {
        let due = self.aside.take_due(pauses.now(), pauses.is_hurried());
        let due = due.collect();
        self.work_off(due, true, events, pauses).await;
    }

    /// Delivers all that was set aside, at once and then as it is time to.
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
            let attempt = self.attempt(&mut batch, events, pauses).await;
            let Attempt::Left(left, wait) = attempt else {
                continue;
            };
            if let Some(wait) = &wait
                && (is_aside || self.aside.has_room_for(&left, wait.aside))
            {
                self.aside.put(pauses.now(), wait.pause(), left);
                continue;
            }
            for batch in left.into_iter().rev() {
                work.push_front(batch);
            }
            if let Some(wait) = wait {
                pauses.pause(wait.pause()).await;
            }
        }
    }
}
