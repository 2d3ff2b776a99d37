//! Counts the records that could not be written by reason, and reports them on standard error.

use std::{
    fmt::Display,
    process,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::stderr;

/// The time between two reports of losses with the same reason.
const INTERVAL: Duration = Duration::from_secs(10);

/// A handle to the number of records that a [`json()`](crate::json()) layer could not write.
///
/// Returned by [`Json::losses`](crate::Json::losses).
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let layer = tracing_openreplay::json();
/// let losses = layer.losses();
/// tracing_subscriber::registry().with(layer).init();
///
/// tracing::info!("Endpoint accessed");
/// // at the end of `main`, or in a metric
/// assert_eq!(losses.total(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Losses(Arc<Counts>);

impl Losses {
    /// Returns the number of records that the layer has not written since it was created, for any
    /// reason. In a forked process, the number includes the losses of its parent before the fork.
    #[must_use]
    pub fn total(&self) -> u64 {
        let counts = self.0.all();
        counts
            .iter()
            .map(|loss| loss.total.load(Ordering::Relaxed))
            .sum()
    }
}

/// The counts of a layer, which reports the remaining losses when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Counter(Arc<Counts>);

impl Counter {
    pub(super) fn handle(&self) -> Losses {
        Losses(Arc::clone(&self.0))
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.0
    }

    #[cold]
    pub(super) fn note(&self, loss: fn(&Counts) -> &Loss, detail: &dyn Display) {
        let process = process::id();
        let reporter = self.0.reporter.swap(process, Ordering::Relaxed);
        if reporter != process && reporter != NO_REPORTER {
            self.0.leave_to_the_parent();
        }
        loss(&self.0).note(detail);
        if reporter != process {
            let counts = Arc::downgrade(&self.0);
            let reporter = thread::Builder::new().name("openreplay-losses".into());
            if reporter.spawn(move || report(&counts)).is_err() {
                // The next record that is written reports the remaining losses.
                self.0.reporter.store(NO_REPORTER, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.report();
    }
}

/// Reports losses until there are none in an interval.
fn report(counts: &Weak<Counts>) {
    loop {
        thread::sleep(INTERVAL);
        let Some(counts) = counts.upgrade() else {
            return;
        };
        if !counts.report() {
            counts.reporter.store(NO_REPORTER, Ordering::Relaxed);
            // Report losses that were noted before the flag was reset.
            counts.report();
            return;
        }
    }
}

/// The value if no thread reports losses. No process that logs has this id.
const NO_REPORTER: u32 = 0;

#[derive(Debug)]
pub(super) struct Counts {
    pub(super) failed: Loss,
    pub(super) panicked: Loss,
    pub(super) logs: Loss,
    /// Records of panics that were not passed to a writer which had panicked before, because
    /// another panic inside the hook would abort the process.
    pub(super) hook: Loss,
    /// The id of the process whose thread reports the remaining losses. After a fork, the child has
    /// the counts, but not the thread.
    reporter: AtomicU32,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            failed: Loss::new("the writer failed"),
            panicked: Loss::new("the writer panicked"),
            logs: Loss::new("the writer itself logs"),
            hook: Loss::new(
                "the record of a panic was not written because the writer had panicked",
            ),
            reporter: AtomicU32::new(NO_REPORTER),
        }
    }
}

impl Counts {
    /// Reports the losses since the last report, if [`INTERVAL`] has passed.
    pub(super) fn remind(&self) {
        for loss in self.all() {
            if loss.unreported.load(Ordering::Relaxed) != 0 {
                loss.remind(&"");
            }
        }
    }

    /// Reports the losses since the last report. Returns whether there were any.
    fn report(&self) -> bool {
        let mut is_anything = false;
        for loss in self.all() {
            is_anything |= loss.report(&"");
        }
        is_anything
    }

    /// Forgets the losses that this process has copied from its parent in a fork, and that the
    /// parent itself reports.
    fn leave_to_the_parent(&self) {
        for loss in self.all() {
            loss.unreported.store(0, Ordering::Relaxed);
        }
    }

    fn all(&self) -> [&Loss; 4] {
        [&self.failed, &self.panicked, &self.logs, &self.hook]
    }
}

#[derive(Debug)]
pub(super) struct Loss {
    reason: &'static str,
    total: AtomicU64,
    unreported: AtomicU64,
    reported: Mutex<Option<Instant>>,
}

impl Loss {
    fn new(reason: &'static str) -> Self {
        Self {
            reason,
            total: AtomicU64::new(0),
            unreported: AtomicU64::new(0),
            reported: Mutex::new(None),
        }
    }

    fn note(&self, detail: &dyn Display) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.unreported.fetch_add(1, Ordering::Relaxed);
        self.remind(detail);
    }

    /// Reports the losses, unless they were reported recently.
    #[cold]
    fn remind(&self, detail: &dyn Display) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.is_some_and(|reported| reported.elapsed() < INTERVAL) {
            return;
        }
        let is_first = reported.replace(Instant::now()).is_none();
        drop(reported);
        let more = if is_first {
            "; more are counted and reported every 10 s"
        } else {
            ""
        };
        self.report(&format_args!("{detail}{more}"));
    }

    fn report(&self, detail: &dyn Display) -> bool {
        let lost = self.unreported.swap(0, Ordering::Relaxed);
        if lost != 0 {
            let s = if lost == 1 { "" } else { "s" };
            let reason = self.reason;
            stderr::print(format_args!("lost {lost} record{s}: {reason}{detail}"));
        }
        lost != 0
    }
}
