//! OpenTelemetry logs over OTLP, into an endpoint that speaks it.

use std::{error::Error, time::Duration};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, any_value::Value},
    logs::v1::LogRecord,
};

use crate::{collector, is_child, request, run};

fn set_up_and_run(work: impl FnOnce()) -> Result<(), Box<dyn Error>> {
    // [guide]
    use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
    use opentelemetry_otlp::LogExporter;
    use opentelemetry_sdk::logs::SdkLoggerProvider;
    use tracing_openreplay::LayerExt as _;
    use tracing_subscriber::{filter::LevelFilter, prelude::*};

    let exporter = LogExporter::builder().with_tonic().build()?;
    let provider = SdkLoggerProvider::builder()
        .with_batch_exporter(exporter)
        .build();
    let bridge = OpenTelemetryTracingBridge::new(&provider).with_session();

    tracing_subscriber::registry()
        .with(bridge.with_filter(LevelFilter::INFO))
        .init();
    // [end]

    work();

    // [guide: more]
    provider.shutdown()?; // before the process ends
    // [end]
    Ok(())
}

#[test]
fn body_and_attributes_arrive_at_the_collector() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if is_child() {
        return runtime.block_on(async { set_up_and_run(request) }).unwrap();
    }
    let (address, mut exported) = runtime.block_on(collector::logs());
    run(
        "otlp::body_and_attributes_arrive_at_the_collector",
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"))],
    );
    let export = runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(60), exported.recv()).await });
    let records: Vec<_> = export
        .expect("the process has ended, so all is sent")
        .unwrap()
        .resource_logs
        .into_iter()
        .flat_map(|resource| resource.scope_logs)
        .flat_map(|scope| scope.log_records)
        .collect();

    let bodies: Vec<_> = records
        .iter()
        .map(|record| text(record.body.as_ref()))
        .collect();
    assert_eq!(
        bodies,
        [
            "[openReplaySession.id=42] cart opened",
            "[openReplaySession.id=42] out of stock",
            "no session"
        ]
    );
    assert_eq!(attribute(&records[0], "items"), Some(Value::IntValue(3)));
    assert_eq!(attribute(&records[0], "tags"), None);
    assert_eq!(
        attribute(&records[1], "tags"),
        Some(Value::StringValue("error".into()))
    );
    assert_eq!(records[1].severity_text, "ERROR");
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.clone()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn attribute(record: &LogRecord, name: &str) -> Option<Value> {
    let attribute = record
        .attributes
        .iter()
        .find(|attribute| attribute.key == name)?;
    attribute.value.as_ref()?.value.clone()
}
