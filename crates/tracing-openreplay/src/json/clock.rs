//! A clock that the user provides.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use super::busy::Busy;

pub(super) struct Clock {
    now: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// Whether the clock has panicked. It is then not called again, since a panic inside a panic
    /// hook would abort the process.
    has_panicked: AtomicBool,
}

impl Clock {
    pub(super) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self {
            now: Box::new(now),
            has_panicked: AtomicBool::new(false),
        }
    }

    /// Returns `None` if the clock panics, has panicked before, or is already being called on this
    /// thread.
    pub(super) fn now(&self) -> Option<SystemTime> {
        if self.has_panicked.load(Ordering::Relaxed) {
            return None;
        }
        // If the clock panics, it is still running while the panic is logged.
        let _busy = Busy::with_clock()?;
        let now = catch_unwind(AssertUnwindSafe(&self.now));
        if now.is_err() {
            self.has_panicked.store(true, Ordering::Relaxed);
        }
        now.ok()
    }
}
