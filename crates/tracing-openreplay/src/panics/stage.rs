//! How far the record of the thread's current panic has come.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No hook of ours is running.
    Idle,
    /// A hook of ours is running. Another one that it calls has nothing to do.
    Hook,
    /// The record is being dispatched.
    Dispatched,
    /// A layer of ours accepted the record.
    Accepted,
}

thread_local! {
    // without a destructor, so that it is there until the thread is gone
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Idle) };
}

/// Whether the process created a layer of ours.
static LAYERS: AtomicBool = AtomicBool::new(false);

/// To be called when a layer of ours is created.
pub(crate) fn expect_records() {
    LAYERS.store(true, Ordering::Relaxed);
}

/// Whether a layer of ours should have accepted the record, but for its filters.
pub(super) fn are_records_expected() -> bool {
    LAYERS.load(Ordering::Relaxed)
}

/// To be called by each layer of ours with each event.
#[inline]
pub(crate) fn accept() {
    let _ = STAGE.try_with(|stage| {
        if stage.get() == Stage::Dispatched {
            stage.set(Stage::Accepted);
        }
    });
}

/// Whether a hook of ours is running on this thread: another panic would abort the process.
pub(crate) fn is_hook_running() -> bool {
    STAGE
        .try_with(|stage| stage.get() != Stage::Idle)
        .unwrap_or_default()
}

/// The time during which a hook of ours runs.
#[derive(Debug)]
pub(super) struct Hook;

impl Hook {
    /// Returns `None` if a hook of ours is running on this thread already.
    pub(super) fn begin() -> Option<Self> {
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

    /// Calls `dispatch` and returns whether a layer of ours accepted the event.
    pub(super) fn is_accepted(&self, dispatch: impl FnOnce()) -> bool {
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
