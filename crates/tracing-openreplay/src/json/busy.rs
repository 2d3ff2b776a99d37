//! Prevents this thread from calling the writer or the clock recursively.

use std::{cell::Cell, thread::LocalKey};

thread_local! {
    static WRITER: Cell<bool> = const { Cell::new(false) };
    static CLOCK: Cell<bool> = const { Cell::new(false) };
}

/// A guard that exists while the writer or the clock is being called.
pub(super) struct Busy(&'static LocalKey<Cell<bool>>);

impl Busy {
    pub(super) fn with_writer() -> Option<Self> {
        Self::begin(&WRITER)
    }

    pub(super) fn with_clock() -> Option<Self> {
        Self::begin(&CLOCK)
    }

    /// Returns `None` if this thread is already in such a call.
    fn begin(with: &'static LocalKey<Cell<bool>>) -> Option<Self> {
        // If the thread-local is already destroyed, the call is allowed, so that no record is lost.
        let is_busy = with.try_with(|busy| busy.replace(true)).unwrap_or(false);
        (!is_busy).then(|| Self(with))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.try_with(|busy| busy.set(false));
    }
}
