//! What this thread is calling already, and must not call from inside of that.

use std::{cell::Cell, thread::LocalKey};

thread_local! {
    static WRITER: Cell<bool> = const { Cell::new(false) };
    static CLOCK: Cell<bool> = const { Cell::new(false) };
}

pub(super) struct Busy(&'static LocalKey<Cell<bool>>);

impl Busy {
    pub(super) fn with_writer() -> Option<Self> {
        Self::begin(&WRITER)
    }

    pub(super) fn with_clock() -> Option<Self> {
        Self::begin(&CLOCK)
    }

    /// Returns `None` if this thread is busy with that already.
    fn begin(with: &'static LocalKey<Cell<bool>>) -> Option<Self> {
        // while the thread ends there is no way to tell: the record counts
        let is_busy = with.try_with(|busy| busy.replace(true)).unwrap_or(false);
        (!is_busy).then(|| Self(with))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.try_with(|busy| busy.set(false));
    }
}
