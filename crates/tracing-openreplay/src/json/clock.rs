//! A clock that the user provides.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use super::busy::Busy;
use crate::panic_stage::is_hook_running;

pub(super) struct Clock {
    now: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// Whether the clock has panicked. It is then not called again, so that not every record is
    /// followed by a panic.
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
    /// thread, and for the record of a panic.
    pub(super) fn now(&self) -> Option<SystemTime> {
        if self.has_panicked.load(Ordering::Relaxed) || is_hook_running() {
            return None;
        }
        let _busy = Busy::with_clock()?;
        let now = catch_unwind(AssertUnwindSafe(&self.now));
        if now.is_err() {
            self.has_panicked.store(true, Ordering::Relaxed);
        }
        now.ok()
    }
}
