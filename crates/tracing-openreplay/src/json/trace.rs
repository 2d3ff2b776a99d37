//! The OpenTelemetry trace and span in which a record is written.

use std::{
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use openreplay_record::field;
use opentelemetry::{Context, trace::TraceContextExt as _};

use super::member::member;

/// Appends `trace.id` and `span.id`, if there is an active span.
///
/// Reads the current context, which `tracing-opentelemetry` sets when a span is entered. Asking its
/// layer for the context of a span would start the span, and a later `set_parent` would fail.
pub(super) fn write(out: &mut Vec<u8>) {
    let current = || {
        Context::map_current(|context| {
            let span = context.span();
            let ids = span.span_context();
            ids.is_valid().then(|| (ids.trace_id(), ids.span_id()))
        })
    };
    // a log call never panics: while a thread ends, its context may be gone
    let Ok(Some((trace, span))) = catch_unwind(AssertUnwindSafe(current)) else {
        return;
    };
    // writing into a `Vec` succeeds
    out.extend_from_slice(member!(field::TRACE_ID, "\""));
    let _ = write!(out, "{trace}\"");
    out.extend_from_slice(member!(field::SPAN_ID, "\""));
    let _ = write!(out, "{span}\"");
}
