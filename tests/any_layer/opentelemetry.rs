use std::error::Error;

use openreplay_session::{SessionId, sync_scope};
use opentelemetry::logs::{AnyValue, Severity};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLogRecord, SdkLoggerProvider};
use serde_json::{Map, Value, json};
use tracing::error;
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::Layer as _;

use crate::{CannotSave, Seen, forms::in_every_form, seen, with_layer};

#[test]
fn the_bridge_exports_body_tags_and_types() {
    let expected = [
        seen(
            "[openReplaySession.id=42] cart opened",
            json!({ "items": 3, "paid": false }),
        ),
        seen("[openReplaySession.id=42] slow", json!({ "path": "/cart" })),
        seen(
            "[openReplaySession.id=42] out of stock",
            json!({ "code": -7, "tags": "error" }),
        ),
        seen(
            "[openReplaySession.id=42] lost",
            json!({ "log.target": "library", "log.line": 7, "tags": "error" }),
        ),
        seen("no session", json!({})),
    ];
    in_every_form(&expected, |run| {
        exported(|layer| run(layer.boxed()))
            .iter()
            .map(to_seen)
            .collect()
    });
}

#[test]
fn an_error_is_exported_as_an_exception() {
    let records = exported(|layer| {
        with_layer(layer.with_session(), || {
            let error = CannotSave::new();
            let error: &(dyn Error + 'static) = &error;
            sync_scope(SessionId::from(42), || error!(error, "order lost"));
        });
    });
    assert_eq!(records[0].severity_number(), Some(Severity::Error));
    assert_eq!(
        to_seen(&records[0]),
        seen(
            "[openReplaySession.id=42] order lost",
            json!({ "exception.message": "cannot save", "tags": "error" })
        ),
    );
}

type Bridge = OpenTelemetryTracingBridge<SdkLoggerProvider, opentelemetry_sdk::logs::SdkLogger>;

fn exported(run: impl FnOnce(Bridge)) -> Vec<SdkLogRecord> {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    run(OpenTelemetryTracingBridge::new(&provider));
    provider.force_flush().unwrap();
    exporter
        .get_emitted_logs()
        .unwrap()
        .into_iter()
        .map(|log| log.record)
        .collect()
}

fn to_seen(record: &SdkLogRecord) -> Seen {
    let Some(AnyValue::String(message)) = record.body() else {
        panic!("no text in {record:?}");
    };
    let fields: Map<_, _> = record
        .attributes_iter()
        .map(|(key, value)| (key.to_string(), to_json(value)))
        .collect();
    Seen {
        message: message.to_string(),
        fields: Value::from(fields),
    }
}

fn to_json(value: &AnyValue) -> Value {
    match value {
        AnyValue::Int(value) => json!(value),
        AnyValue::Double(value) => json!(value),
        AnyValue::Boolean(value) => json!(value),
        AnyValue::String(value) => json!(value.as_str()),
        other => panic!("{other:?}"),
    }
}
