use std::sync::atomic::{AtomicU64, Ordering};

use super::Progress;
use super::lines::Framed;
use crate::bulk::Events;
use openreplay_buffer::{Diagnostics, Topic};

/// What became of the lines. Reports what goes wrong on standard error.
#[derive(Debug)]
pub(super) struct Counts {
    stored: AtomicU64,
    rejected: AtomicU64,
    wrapped: AtomicU64,
    /// Records that a stream had; of files, that is not counted.
    read: AtomicU64,
    nuls: AtomicU64,
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
            diagnostics: Diagnostics::to_stderr("openreplay-elastic"),
        }
    }
}

impl Counts {
    /// Counts what was read.
    pub(super) fn read(&self, framed: &Framed) {
        let wrapped = framed.wrapped as u64;
        self.wrapped.fetch_add(wrapped, Ordering::Relaxed);
        self.nuls.fetch_add(framed.nuls, Ordering::Relaxed);
    }

    pub(super) fn read_records(&self, records: usize) {
        self.read.fetch_add(records as u64, Ordering::Relaxed);
    }

    /// Prints a message without rate limiting.
    pub(super) fn warn(&self, text: &str) {
        self.diagnostics.print(text);
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
            ..Progress::default()
        }
    }
}

impl Events for Counts {
    fn stored(&self, _: u64, records: usize) {
        self.stored.fetch_add(records as u64, Ordering::Relaxed);
    }

    fn rejected(&self, _: u64, _: &str) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self, topic: Topic, text: &str) {
        self.diagnostics.report(topic, text);
    }
}
