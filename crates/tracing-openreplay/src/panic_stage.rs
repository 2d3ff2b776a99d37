//! Tracks the record of the thread's current panic.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The hook of this crate is not running.
    Idle,
    /// The hook of this crate is running. A nested one does nothing.
    Hook,
    /// The record is being dispatched.
    Dispatched,
    /// `with_session()` is passing the record to the layer that it wraps.
    Passed,
    /// A layer of this crate accepted the record.
    Accepted,
}

thread_local! {
    // Without a destructor, it is accessible until the thread has ended.
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Idle) };
}

/// Whether the process has created a layer of this crate.
static LAYERS: AtomicBool = AtomicBool::new(false);

/// Notes that a layer of this crate was created.
pub(crate) fn expect_records() {
    LAYERS.store(true, Ordering::Relaxed);
}

/// Returns whether a layer of this crate exists, which accepts the record unless filters reject it.
pub(crate) fn are_records_expected() -> bool {
    LAYERS.load(Ordering::Relaxed)
}

/// Notes that `json()` received an event. It calls this for every event.
#[inline]
pub(crate) fn received_by_json() {
    let _ = STAGE.try_with(|stage| {
        if matches!(stage.get(), Stage::Dispatched | Stage::Passed) {
            stage.set(Stage::Accepted);
        }
    });
}

/// Calls `pass`, with which `with_session()` passes an event to the layer that it wraps. That layer
/// accepts the record of a panic if it formats the message, which it does not if a filter of its
/// own rejects the record.
#[inline]
pub(crate) fn passed(pass: impl FnOnce()) {
    enter_if(Stage::Dispatched, Stage::Passed);
    pass();
    enter_if(Stage::Passed, Stage::Dispatched);
}

/// Notes that a layer formats the message of the record.
pub(crate) fn formatted() {
    enter_if(Stage::Passed, Stage::Accepted);
}

/// Enters the stage `to` if the current stage is `from`.
#[inline]
fn enter_if(from: Stage, to: Stage) {
    let _ = STAGE.try_with(|stage| {
        if stage.get() == from {
            stage.set(to);
        }
    });
}

/// Returns whether the hook of this crate is running on this thread, where another panic would
/// abort the process.
pub(crate) fn is_hook_running() -> bool {
    STAGE
        .try_with(|stage| stage.get() != Stage::Idle)
        .unwrap_or_default()
}

/// A guard that exists while the hook of this crate is running.
#[derive(Debug)]
pub(crate) struct Hook;

impl Hook {
    /// Returns `None` if the hook of this crate is already running on this thread.
    pub(crate) fn begin() -> Option<Self> {
        let is_outermost = STAGE
            .try_with(|stage| {
                let is_idle = stage.get() == Stage::Idle;
                if is_idle {
                    stage.set(Stage::Hook);
                }
                is_idle
            })
            .unwrap_or(true);
        is_outermost.then(|| Self)
    }

    /// Calls `dispatch` and returns whether a layer of this crate accepted the event.
    pub(crate) fn is_accepted(&self, dispatch: impl FnOnce()) -> bool {
        let _ = STAGE.try_with(|stage| stage.set(Stage::Dispatched));
        dispatch();
        STAGE
            .try_with(|stage| stage.replace(Stage::Hook) == Stage::Accepted)
            .unwrap_or_default()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let _ = STAGE.try_with(|stage| stage.set(Stage::Idle));
    }
}
