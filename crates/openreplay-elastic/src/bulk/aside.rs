//! The few records that may be at fault themselves: they wait for their next attempt while the
//! others go on.

use std::time::Instant;

use super::backoff::Delay;
use super::batch::Batch;

/// No more than this is set aside; the others wait then.
const BYTES: usize = 256 * 1024;

#[derive(Debug, Default)]
pub(super) struct Aside {
    batches: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    /// When it is sent again while a flush waits.
    earliest: Instant,
    batch: Batch,
}

impl Aside {
    /// Whether these would be no more than so many records.
    pub(super) fn has_room_for(&self, batches: &[Batch], records: usize) -> bool {
        let all = || self.batches.iter().map(|one| &one.batch).chain(batches);
        all().map(Batch::records).sum::<usize>() <= records
            && all().map(Batch::bytes).sum::<usize>() <= BYTES
    }

    pub(super) fn put(&mut self, now: Instant, delay: Delay, batches: Vec<Batch>) {
        let batches = batches.into_iter().map(|batch| Waiting {
            due: now + delay.full,
            earliest: now + delay.at_least,
            batch: batch.detached(),
        });
        self.batches.extend(batches);
    }

    /// Returns the delay until the next of them is sent again.
    pub(super) fn delay(&self, now: Instant) -> Option<Delay> {
        let due = self.batches.iter().map(|one| one.due).min()?;
        let earliest = self.batches.iter().map(|one| one.earliest).min()?;
        Some(Delay {
            full: due.saturating_duration_since(now),
            at_least: earliest.saturating_duration_since(now),
        })
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Batch> + use<> {
        let all = std::mem::take(&mut self.batches).into_iter();
        all.map(|one| one.batch)
    }

    pub(super) fn take_due(
        &mut self,
        now: Instant,
        is_flushing: bool,
    ) -> impl Iterator<Item = Batch> + use<> {
        let all = std::mem::take(&mut self.batches).into_iter();
        let is_due = |one: &Waiting| now >= if is_flushing { one.earliest } else { one.due };
        let (due, later) = all.partition::<Vec<_>, _>(is_due);
        self.batches = later;
        due.into_iter().map(|one| one.batch)
    }
}
