//! Reads the ids of OpenTelemetry's active trace and span.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use openreplay_record::field;
use opentelemetry::{Context, trace::TraceContextExt as _};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer;

use super::member::member;

/// The state of OpenTelemetry's context on this thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The context has not been read on this thread yet.
    Unknown,
    /// The context is being read.
    Reading,
    /// The context has been read without a panic.
    Readable,
    /// A read has panicked, or the thread is ending.
    Unreadable,
}

thread_local! {
    // Without a destructor, it is accessible until the thread has ended.
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
/// The ids come from the current context, which `tracing-opentelemetry` sets when a span is
/// entered. Requesting the context of a span from its layer would start the span, so that a later
/// `set_parent` would fail.
pub(super) fn write(out: &mut Vec<u8>) {
    let ids = read(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid().then(|| (ids.trace_id(), ids.span_id()))
    });
    let Some(Some((trace, span))) = ids else {
        return;
    };
    out.extend_from_slice(member!(field::TRACE_ID, "\""));
    hex(out, trace.to_bytes());
    out.extend_from_slice(member!(field::SPAN_ID, "\""));
    hex(out, span.to_bytes());
}

/// Appends an id and a quote. The `Display` implementation of the id takes four times as long.
fn hex<const N: usize>(out: &mut Vec<u8>, id: [u8; N]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits = id.map(|byte| [byte >> 4, byte & 0xf].map(|digit| DIGITS[usize::from(digit)]));
    out.extend_from_slice(digits.as_flattened());
    out.push(b'"');
}

/// Returns whether the active span is the event's span, that is, whether the event has no explicit
/// parent, or its parent is the current span.
pub(super) fn is_active<S: Subscriber>(event: &Event<'_>, ctx: &layer::Context<'_, S>) -> bool {
    event.is_contextual()
        || event
            .parent()
            .is_some_and(|parent| ctx.current_span().id() == Some(parent))
}

/// Tries a first read. Called when a span is entered, so that the record of a panic has ids even if
/// it is the first record of its thread, because [`read`] does not try a first read in a panic.
#[inline]
pub(super) fn prepare() {
    if STATE.get() == State::Unknown {
        read(|_| ());
    }
}

/// Returns whether this thread is reading the context, so that a panic comes from OpenTelemetry and
/// is caught.
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
        // In a panic hook, a panic would abort the process.
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
        // This fails only if `END` has been destroyed, which has set `STATE`.
        let _ = END.try_with(|_| ());
    }
    result
}
