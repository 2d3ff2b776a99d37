use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use openreplay_buffer::{Diagnostics, Topic};
use tokio::sync::Notify;

use super::Progress;
use super::faults::Faults;
use super::health::Health;
use super::lines::Framed;
use crate::bulk::Observer;

/// Counts what happened to the lines. Reports failures and recoveries on standard error.
#[derive(Debug)]
pub(super) struct Counts {
    stored: AtomicU64,
    rejected: AtomicU64,
    wrapped: AtomicU64,
    /// The records that a stream had. For files, they are not counted.
    read: AtomicU64,
    nuls: AtomicU64,
    faults: Mutex<Faults>,
    health: Mutex<Health>,
    changed: Notify,
    diagnostics: Diagnostics,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            stored: AtomicU64::default(),
            rejected: AtomicU64::default(),
            wrapped: AtomicU64::default(),
            read: AtomicU64::default(),
            nuls: AtomicU64::default(),
            faults: Mutex::default(),
            health: Mutex::default(),
            changed: Notify::new(),
            diagnostics: Diagnostics::to_stderr("openreplay-elastic"),
        }
    }
}

impl Counts {
    /// Counts the records that were read from `source`. Reports each fault when it first occurs.
    pub(super) fn read(&self, framed: &Framed, source: &str) {
        let wrapped = framed.wrapped as u64;
        self.wrapped.fetch_add(wrapped, Ordering::Relaxed);
        self.nuls.fetch_add(framed.nuls, Ordering::Relaxed);
        let new = self.faults().add(&framed.faults);
        for fault in new {
            let (text, remedy) = (fault.text(), fault.remedy());
            self.warn(&format!(
                "{source}: records {text} - {remedy}; they are delivered anyway"
            ));
        }
    }

    pub(super) fn read_records(&self, records: usize) {
        self.read.fetch_add(records as u64, Ordering::Relaxed);
    }

    /// Prints a message without rate limiting.
    pub(super) fn warn(&self, text: &str) {
        self.diagnostics.print(text);
    }

    /// Notes that Elasticsearch accepted a request.
    pub(super) fn works(&self) {
        if self.health().work() {
            self.diagnostics.print("delivery works again");
            self.changed.notify_one();
        }
    }

    /// Waits until the health changes, and returns it.
    pub(super) async fn changed(&self) -> Health {
        self.changed.notified().await;
        self.health().clone()
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn progress(&self) -> Progress {
        let stored = self.stored.load(Ordering::Relaxed);
        let rejected = self.rejected.load(Ordering::Relaxed);
        let read = self.read.load(Ordering::Relaxed);
        Progress {
            stored,
            rejected,
            undelivered: read.saturating_sub(stored + rejected),
            wrapped: self.wrapped.load(Ordering::Relaxed),
            nuls: self.nuls.load(Ordering::Relaxed),
            faults: self.faults().counted().collect(),
            ..Progress::default()
        }
    }
}

impl Observer for Counts {
    fn stored(&self, _: u64, records: usize) {
        self.stored.fetch_add(records as u64, Ordering::Relaxed);
        self.works();
    }

    fn rejected(&self, _: u64, _: &str) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self, topic: Topic, text: &str) {
        let is_change = self.health().fail(topic, text);
        if is_change {
            // Reported even if the last report of this topic was recent.
            self.diagnostics.report_now(topic, text);
            self.changed.notify_one();
        } else {
            self.diagnostics.report(topic, text);
        }
    }
}
