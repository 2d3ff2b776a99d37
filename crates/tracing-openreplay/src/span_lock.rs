//! Accesses the data of spans whose lock may be poisoned or held by the same thread.
//!
//! A layer such as fmt's holds the lock of a span's extensions while it formats a value that is
//! recorded later. If that value panics, the thread still holds the lock when the panic hook runs,
//! and a layer that reads the span for the record of the panic would wait forever. Once the panic
//! has unwound, the lock is poisoned, also for later spans that reuse its memory. Each access then
//! panics. In the hook, or in the destructor of a span that is dropped by the unwinding, that panic
//! would abort the process.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use tracing_core::{Dispatch, dispatcher, span::Id};
use tracing_subscriber::{
    Registry,
    registry::{Extensions, ExtensionsMut, LookupSpan, SpanRef},
};

/// The time that another thread may hold the lock of a span, for example while it formats a value.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    // Without a destructor, it is accessible until the thread has ended.
    static IS_LOCKING: Cell<bool> = const { Cell::new(false) };
}

/// Returns the data of a span, or `None` if the lock is poisoned.
#[inline]
pub(crate) fn read<'a, S>(span: &'a SpanRef<'_, S>) -> Option<Extensions<'a>>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    lock(|| span.extensions())
}

/// Returns the data of a span for writing, or `None` if the lock is poisoned.
#[inline]
pub(crate) fn write<'a, S>(span: &'a SpanRef<'_, S>) -> Option<ExtensionsMut<'a>>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    lock(|| span.extensions_mut())
}

/// Calls `lock`, which panics if the lock is poisoned.
#[inline]
fn lock<T>(lock: impl FnOnce() -> T) -> Option<T> {
    let before = IS_LOCKING.replace(true);
    let extensions = catch_unwind(AssertUnwindSafe(lock)).ok();
    IS_LOCKING.set(before);
    extensions
}

/// Returns whether this thread is acquiring the lock of a span, so that a panic comes from a
/// poisoned lock and is caught.
pub(crate) fn is_locking() -> bool {
    IS_LOCKING.get()
}

/// Returns whether the data of the current span and of those around it can be read now.
///
/// The lock cannot be tried, so another thread reads the spans.
pub(crate) fn is_free() -> bool {
    let dispatch = dispatcher::get_default(Dispatch::clone);
    let Some(innermost) = dispatch.current_span().id().cloned() else {
        return true;
    };
    let (sender, receiver) = mpsc::sync_channel(1);
    let reader = move || {
        let _ = sender.send(are_readable(&dispatch, &innermost));
    };
    let reader = thread::Builder::new()
        .name("openreplay-panic".into())
        .spawn(reader);
    reader.is_err() || receiver.recv_timeout(PATIENCE) == Ok(true)
}

/// Returns whether the data of a span and of those around it can be read. Waits for their locks.
fn are_readable(dispatch: &Dispatch, innermost: &Id) -> bool {
    let registry = dispatch.downcast_ref::<Registry>();
    let innermost = registry.and_then(|registry| registry.span(innermost));
    innermost.is_none_or(|span| span.scope().all(|span| read(&span).is_some()))
}
