//! `trace.id` and `span.id` of records under `tracing-opentelemetry`.

use integration_tests::Lines;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use serde_json::Value;
use tracing::{info, info_span, subscriber::with_default};
use tracing_openreplay::json;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer as _, Registry, filter::filter_fn, prelude::*};

/// The records of what `run` logs, and the spans that OpenTelemetry exports.
fn run(run: impl FnOnce()) -> (Vec<Value>, Vec<opentelemetry_sdk::trace::SpanData>) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let lines = Lines::default();
    let json = json().with_writer(lines.clone());
    // no span passes this filter
    let json = json.with_filter(filter_fn(|metadata| !metadata.is_span()));
    with_default(Registry::default().with(layer).with(json), run);
    (lines.records(), exporter.get_finished_spans().unwrap())
}

#[test]
fn a_record_names_the_active_span_also_through_a_filter() {
    let (records, spans) = run(|| {
        info!("outside");
        let outer = info_span!("outer").entered();
        info_span!("inner").in_scope(|| info!("inside"));
        drop(outer);
    });
    assert_eq!(records[0].get("trace.id"), None);
    assert_eq!(records[0].get("span.id"), None);
    let inner = &spans[0];
    assert_eq!(inner.name, "inner");
    let context = &inner.span_context;
    assert_eq!(records[1]["trace.id"], context.trace_id().to_string());
    assert_eq!(records[1]["span.id"], context.span_id().to_string());
    assert_eq!(records[1]["trace.id"].as_str().unwrap().len(), 32);
}

#[test]
fn a_record_does_not_start_a_span_that_gets_its_parent_later() {
    let remote = SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    let parent = opentelemetry::Context::new().with_remote_span_context(remote);
    let (_, spans) = run(|| {
        let span = info_span!("request");
        info!(parent: &span, "before the parent is known");
        span.set_parent(parent).unwrap();
        span.in_scope(|| info!("after"));
    });
    assert_eq!(spans[0].span_context.trace_id(), TraceId::from(7));
    assert_eq!(spans[0].parent_span_id, SpanId::from(8));
}
