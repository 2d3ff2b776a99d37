//! The OpenTelemetry trace and span in which a record is written.

use std::{
    cell::Cell,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use openreplay_record::field;
use opentelemetry::{Context, trace::TraceContextExt as _};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer;

use super::member::member;

/// Whether OpenTelemetry's context of this thread can be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has read the context on this thread yet.
    Unknown,
    /// A read is in progress.
    Reading,
    Readable,
    /// A read has panicked, or the thread is ending.
    Unreadable,
}

thread_local! {
    // without a destructor, so that it can be read until the thread is gone
    static STATE: Cell<State> = const { Cell::new(State::Unknown) };
    static END: End = const { End };
}

/// Marks the context as unreadable when the thread ends.
///
/// Thread-locals are destroyed in the reverse order of their first use, at least on Linux. `END` is
/// first used after the context, so `END` is destroyed before the context.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        STATE.set(State::Unreadable);
    }
}

/// Appends `trace.id` and `span.id`, if there is an active span.
///
/// Reads the current context, which `tracing-opentelemetry` sets when a span is entered. Asking its
/// layer for the context of a span would start the span, and a later `set_parent` would fail.
pub(super) fn write(out: &mut Vec<u8>) {
    let ids = read(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid().then(|| (ids.trace_id(), ids.span_id()))
    });
    let Some(Some((trace, span))) = ids else {
        return;
    };
    // writing into a `Vec` succeeds
    out.extend_from_slice(member!(field::TRACE_ID, "\""));
    let _ = write!(out, "{trace}\"");
    out.extend_from_slice(member!(field::SPAN_ID, "\""));
    let _ = write!(out, "{span}\"");
}

/// Whether the active span is that of the event, as far as `tracing` knows: the event has no
/// explicit parent, or its parent is the current span.
pub(super) fn is_active<S: Subscriber>(event: &Event<'_>, ctx: &layer::Context<'_, S>) -> bool {
    event.is_contextual()
        || event
            .parent()
            .is_some_and(|parent| ctx.current_span().id() == Some(parent))
}

/// To be called when a span is entered, so that the record of a panic has ids even if it is the
/// first record of its thread: [`read`] does not try a first read in a panic.
#[inline]
pub(super) fn prepare() {
    if STATE.get() == State::Unknown {
        read(|_| ());
    }
}

/// Whether this thread is reading the context: a panic now is OpenTelemetry's, and is caught.
pub(crate) fn is_reading() -> bool {
    STATE.get() == State::Reading
}

/// Calls `f` with the current context, if the context can be read.
///
/// OpenTelemetry panics if the thread has destroyed its context or is changing it. A log call must
/// not panic, so the panic is caught, and no further read is tried on this thread.
fn read<T>(f: impl FnOnce(&Context) -> T) -> Option<T> {
    let before = STATE.get();
    match before {
        State::Readable => {}
        // in a panic hook, a panic would abort the process
        State::Unknown if !thread::panicking() => {}
        State::Unknown | State::Reading | State::Unreadable => return None,
    }
    STATE.set(State::Reading);
    let result = catch_unwind(AssertUnwindSafe(|| Context::map_current(f))).ok();
    STATE.set(if result.is_some() {
        State::Readable
    } else {
        State::Unreadable
    });
    if before == State::Unknown {
        // fails only if `END` is destroyed, which has set `STATE`
        let _ = END.try_with(|_| ());
    }
    result
}
