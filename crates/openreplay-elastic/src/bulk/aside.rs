//! The few records that may be at fault themselves: they wait for their next attempt while the others go on.

use std::time::Instant;

use super::batch::Batch;

/// No more than this is set aside; the others wait for it then.
const BYTES: usize = 256 * 1024;

#[derive(Debug, Default)]
pub(super) struct Aside {
    batches: Vec<(Instant, Batch)>,
}

impl Aside {
    /// Whether it would be no more than so many records.
    pub(super) fn has_room_for(&self, batches: &[Batch], records: usize) -> bool {
        let all = || self.batches.iter().map(|(_, batch)| batch).chain(batches);
        all().map(Batch::records).sum::<usize>() <= records
            && all().map(Batch::bytes).sum::<usize>() <= BYTES
    }

    pub(super) fn put(&mut self, due: Instant, batches: Vec<Batch>) {
        let batches = batches.into_iter().map(|batch| (due, batch.detached()));
        self.batches.extend(batches);
    }

    /// When the next of them is to be sent again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.batches.iter().map(|(due, _)| *due).min()
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Batch> + use<> {
        let all = std::mem::take(&mut self.batches).into_iter();
        all.map(|(_, batch)| batch)
    }

    pub(super) fn take_due(&mut self, now: Instant) -> impl Iterator<Item = Batch> + use<> {
        let all = std::mem::take(&mut self.batches).into_iter();
        let (due, later) = all.partition::<Vec<_>, _>(|(due, _)| *due <= now);
        self.batches = later;
        due.into_iter().map(|(_, batch)| batch)
    }
}
