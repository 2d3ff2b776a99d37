//! `trace.id` and `span.id` of records under `tracing-opentelemetry`.

use integration_tests::Lines;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, SpanData};
use serde_json::Value;
use tower_openreplay::Failure;
use tracing::{info, info_span, subscriber::with_default};
use tracing_openreplay::{Json, json};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::{Layer, Registry, filter::filter_fn, layer::Layered, prelude::*};

type Traced = Layered<OpenTelemetryLayer<Registry, SdkTracer>, Registry>;

/// The records of what `run` logs, and the spans that OpenTelemetry exports.
fn run(run: impl FnOnce()) -> (Vec<Value>, Vec<SpanData>) {
    // no span passes this filter
    let filter = filter_fn(|metadata| !metadata.is_span());
    run_with(|json| json.with_filter(filter), run)
}

fn run_with<L>(
    layer: impl FnOnce(Json<Lines>) -> L,
    run: impl FnOnce(),
) -> (Vec<Value>, Vec<SpanData>)
where
    L: Layer<Traced> + Send + Sync,
{
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let lines = Lines::default();
    let json = layer(json().with_writer(lines.clone()));
    with_default(Registry::default().with(traces).with(json), run);
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

/// The ids of an exported span, as a record has them.
fn ids(spans: &[SpanData], name: &str) -> [Value; 2] {
    let span = spans.iter().find(|span| span.name == name).unwrap();
    let context = &span.span_context;
    [
        context.trace_id().to_string().into(),
        context.span_id().to_string().into(),
    ]
}

#[track_caller]
fn assert_ids(record: &Value, [trace, span]: &[Value; 2]) {
    assert_eq!(record["trace.id"], *trace, "{record}");
    assert_eq!(record["span.id"], *span, "{record}");
}

#[test]
fn a_record_never_has_the_ids_of_a_span_that_is_not_its_own() {
    let (records, spans) = run(|| {
        let a = info_span!("a");
        let b = info_span!("b").entered();
        info!(parent: &a, "of a");
        info!(parent: None, "of none");
        info!(parent: &b, "of b");
        a.in_scope(|| info!(parent: &a, "of a, in a"));
        drop(b);
        info!(parent: &a, "of a, in none");
    });
    assert_eq!(records.len(), 5);
    assert_ids(&records[0], &[Value::Null, Value::Null]);
    assert_ids(&records[1], &[Value::Null, Value::Null]);
    assert_ids(&records[2], &ids(&spans, "b"));
    assert_ids(&records[3], &ids(&spans, "a"));
    assert_ids(&records[4], &[Value::Null, Value::Null]);
}

#[test]
fn the_record_of_a_span_that_closes_has_no_ids() {
    let (records, _) = run_with(
        |json| json.with_span_close(true),
        || {
            let a = info_span!("a");
            a.in_scope(|| ());
            info_span!("b").in_scope(|| drop(a));
        },
    );
    let messages: Vec<_> = records.iter().map(|record| &record["message"]).collect();
    assert_eq!(records.len(), 2, "{messages:?}");
    for record in &records {
        assert_ids(record, &[Value::Null, Value::Null]);
    }
}

#[test]
fn a_failure_has_the_ids_of_its_own_span_wherever_it_is_logged() {
    let (records, spans) = run(|| {
        let a = info_span!("a");
        let failures = [(); 3].map(|()| a.in_scope(|| Failure::new("out of stock")));
        let [current, elsewhere, outside] = failures;
        a.in_scope(|| drop(current));
        info_span!("b").in_scope(|| drop(elsewhere));
        drop(outside);
        let none = Failure::new("of no span");
        info_span!("b").in_scope(|| drop(none));
    });
    assert_eq!(records.len(), 4);
    for record in &records[..3] {
        assert_ids(record, &ids(&spans, "a"));
    }
    assert_ids(&records[3], &[Value::Null, Value::Null]);
}
