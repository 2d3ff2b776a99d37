//! Tells whether a layer can read the data of the current span.
//!
//! A layer such as fmt's holds the lock of a span's extensions while it formats a value that is
//! recorded later. If that value panics, the thread still holds the lock when the panic hook runs,
//! and a layer that reads the span for the record of the panic would wait forever. If the panic has
//! unwound, the lock is poisoned, and reading the span would panic inside the hook.

use std::{cell::Cell, sync::mpsc, thread, time::Duration};

use tracing_core::{Dispatch, dispatcher, span::Id};
use tracing_subscriber::{Registry, registry::LookupSpan as _};

/// The time that another thread may hold the lock of a span, such as while it formats a value.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    static IS_READER: Cell<bool> = const { Cell::new(false) };
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
        IS_READER.set(true);
        read(&dispatch, &innermost);
        let _ = sender.send(());
    };
    let reader = thread::Builder::new()
        .name("openreplay-panic".into())
        .spawn(reader);
    reader.is_err() || receiver.recv_timeout(PATIENCE).is_ok()
}

/// Reads the data of a span and of those around it.
fn read(dispatch: &Dispatch, innermost: &Id) {
    let registry = dispatch.downcast_ref::<Registry>();
    let Some(innermost) = registry.and_then(|registry| registry.span(innermost)) else {
        return;
    };
    for span in innermost.scope() {
        drop(span.extensions());
    }
}

/// Returns whether this thread reads spans for [`is_free`], and panics if a lock is poisoned.
pub(crate) fn is_reader() -> bool {
    IS_READER.try_with(Cell::get).unwrap_or_default()
}
