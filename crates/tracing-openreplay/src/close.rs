//! Creates an event for each span that closes, with the span's busy and idle time.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use tracing_core::{
    Event, Kind, Metadata, Subscriber,
    field::{FieldSet, Value},
    span,
};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::{kept, timing::Timing};

const FIELDS: &[&str] = &["message", "busy_ms", "idle_ms"];

/// Ends an idle period, if the span was not entered yet. Called from `on_enter`.
pub(crate) fn entered<S>(id: &span::Id, ctx: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    if let Some(span) = ctx.span(id) {
        kept::change_timing(&span, Timing::enter);
    }
}

/// Ends a busy period, if the span is not entered elsewhere. Called from `on_exit`.
pub(crate) fn exited<S>(id: &span::Id, ctx: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    if let Some(span) = ctx.span(id) {
        kept::change_timing(&span, Timing::exit);
    }
}

/// Calls `log` with the event of a span that closes. Called from `on_close`.
pub(crate) fn closed<S>(span: &SpanRef<'_, S>, log: impl FnOnce(&Event<'_>))
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let Some((busy, idle)) = times(span) else {
        return;
    };
    let metadata = event_metadata(span.metadata());
    let message = format_args!("{} closed", span.name());
    let values: [Option<&dyn Value>; 3] = [Some(&message), Some(&busy), Some(&idle)];
    let values = metadata.fields().value_set_all(&values);
    log(&Event::new_child_of(span.id(), metadata, &values));
}

/// Returns the busy and the idle time in milliseconds.
fn times<S>(span: &SpanRef<'_, S>) -> Option<(f64, f64)>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    // Clocks are not more precise than microseconds.
    let milliseconds = |time: Duration| time.as_micros() as f64 / 1e3;
    kept::change_timing(span, |timing| {
        timing.end_idle();
        (milliseconds(timing.busy), milliseconds(timing.idle))
    })
}

/// Returns the metadata of the event: those of the span, including the identity of its callsite,
/// with other fields.
///
/// The metadata of an event must be `'static`, so they are leaked once for each span in the
/// program's source that closes.
fn event_metadata(span: &'static Metadata<'static>) -> &'static Metadata<'static> {
    static ALL: RwLock<Option<HashMap<usize, &'static Metadata<'static>>>> = RwLock::new(None);

    let key = std::ptr::from_ref(span).addr();
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.as_ref().and_then(|all| all.get(&key)) {
        return known;
    }
    drop(all);
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    all.get_or_insert_default().entry(key).or_insert_with(|| {
        Box::leak(Box::new(Metadata::new(
            span.name(),
            span.target(),
            *span.level(),
            span.file(),
            span.line(),
            span.module_path(),
            FieldSet::new(FIELDS, span.callsite()),
            Kind::EVENT,
        )))
    })
}
