//! `json()` with its feature `opentelemetry`, in a trace and in none.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};

use crate::{
    Case, Comparison,
    records::{EVENT, Subject, comparison, json_with},
};

const IN_TRACE: &str = "json(), in a trace";

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let subject = Subject::in_session(IN_TRACE, json_with(|json| json));
    subject.in_scenes([EVENT]).into_iter().map(|case| Case {
        name: case.name,
        run: Box::new(move |measure| {
            let _attached = Context::new().with_remote_span_context(span()).attach();
            (case.run)(measure);
        }),
    })
}

pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    let of_trace = comparison((IN_TRACE, EVENT), ("json()", EVENT), 112.0);
    [of_trace].into_iter()
}

fn span() -> SpanContext {
    SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}
