//! Tracks whether this thread polls the future of a `RequestLog`.

use std::cell::Cell;

thread_local! {
    static POLLING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether the caller runs inside the future of a [`RequestLog`](crate::RequestLog), which
/// logs the error attached to the response.
pub(crate) fn is_polling() -> bool {
    POLLING.get()
}

/// A guard that exists while this thread polls the future of a `RequestLog`.
pub(crate) struct Polling {
    before: bool,
}

impl Polling {
    pub(crate) fn begin() -> Self {
        Self {
            before: POLLING.replace(true),
        }
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        POLLING.set(self.before);
    }
}
