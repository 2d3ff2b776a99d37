//! One record under OpenTelemetry, and the three places that it leads to: its trace, its request
//! and its replay.

use std::{error::Error, time::Duration};

use axum::body::Body;
use http::Request;
use integration_tests::guide;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{collector, is_child, run};

const PAGE: &str = "docs/requests-and-traces.md";
/// OpenReplay counts the time in its ids from here, in milliseconds since 1970.
const SESSIONS_SINCE: u64 = 1_550_000_000_000;

fn set_up_and_run(work: impl AsyncFnOnce(axum::Router)) -> Result<(), Box<dyn Error>> {
    // [guide]
    use axum::{Router, routing::get};
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
    use tower_openreplay::{RequestLogLayer, SessionLayer};
    use tracing_subscriber::{filter::LevelFilter, prelude::*};

    async fn price() -> &'static str {
        tracing::warn!(order = 17, "The price is old");
        "17.50"
    }

    let exporter = SpanExporter::builder().with_tonic().build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .build();
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    let records = tracing_openreplay::json()
        .with_service_name("shop")
        .with_replay_url("https://openreplay.example.com/1234");
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(traces)
        .with(records)
        .init();

    let app: Router = Router::new()
        .route("/price", get(price))
        .layer(RequestLogLayer::new())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(SessionLayer::new());
    // [end]

    tokio::runtime::Handle::current().block_on(work(app));

    // [guide: more]
    // serve `app`, and before the process ends:
    provider.shutdown()?;
    // [end]
    Ok(())
}

#[test]
fn a_record_leads_to_its_trace_its_request_and_its_replay() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if is_child() {
        let _entered = runtime.enter();
        return set_up_and_run(async |app| {
            let session = std::env::var("SESSION").unwrap();
            let request = Request::get("/price").header("openReplaySession.id", session);
            let response = app.oneshot(request.body(Body::empty()).unwrap()).await;
            let id = response.unwrap().headers()["x-request-id"].clone();
            println!("x-request-id: {}", id.to_str().unwrap());
        })
        .unwrap();
    }

    let (address, mut exported) = runtime.block_on(collector::spans());
    // 90 seconds ago, as OpenReplay makes an id
    let started = milliseconds(&jiff::Timestamp::now().to_string()) - 90_000;
    let session = ((started - SESSIONS_SINCE) << 24 | 7 << 8 | 1).to_string();
    let written = run(
        "traced::a_record_leads_to_its_trace_its_request_and_its_replay",
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}")),
            ("SESSION", &session),
        ],
    );
    let export = runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(60), exported.recv()).await });
    let spans: Vec<Span> = export
        .expect("the process has ended, so all is sent")
        .unwrap()
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect();
    let [span] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(span.name, "request");
    let records: Vec<Value> = written
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // that of the handler, and that of the request
    assert_eq!(records.len(), 2, "{written}");

    for record in &records {
        // the trace
        assert_eq!(record["trace.id"], hexadecimal(&span.trace_id));
        assert_eq!(record["span.id"], hexadecimal(&span.span_id));
        // the request: what the replay's network panel shows
        let header = format!(
            "x-request-id: {}",
            record["http.request.id"].as_str().unwrap()
        );
        assert!(written.lines().any(|line| line == header), "{written}");
        // the replay, at this moment
        let at = milliseconds(record["@timestamp"].as_str().unwrap());
        assert!(at - started >= 90_000);
        let replay = format!(
            "https://openreplay.example.com/1234/session/{session}?jumpto={}",
            at - started
        );
        assert_eq!(record["openReplaySession.url"], replay);
        replay.parse::<http::Uri>().unwrap();
    }
    shows(&records[0]);
}

fn milliseconds(timestamp: &str) -> u64 {
    let timestamp: jiff::Timestamp = timestamp.parse().unwrap();
    timestamp.as_millisecond().try_into().unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the page's record is this one, but for what differs from one run to the other.
fn shows(record: &Value) {
    let page = guide::block(PAGE, "Fields of the record", "json");
    let page: Value = serde_json::from_str(&page).unwrap();
    let page = page.as_object().unwrap();
    let names =
        |record: &serde_json::Map<String, Value>| record.keys().cloned().collect::<Vec<_>>();
    let written = record.as_object().unwrap();
    assert_eq!(names(page), names(written));
    for name in ["level", "service.name", "fields"] {
        assert_eq!(page[name], written[name], "{name}");
    }
    let after_prefix = |message: &Value| {
        let message = message.as_str().unwrap().to_owned();
        message.split_once("] ").unwrap().1.to_owned()
    };
    assert_eq!(
        after_prefix(&page["message"]),
        after_prefix(&written["message"])
    );
    let of_span = |record: &serde_json::Map<String, Value>| {
        let mut span = record["spans"][0].clone();
        span["fields"]["request_id"] = Value::Null;
        span
    };
    assert_eq!(of_span(page), of_span(written));
}

#[test]
fn the_pages_record_leads_where_its_table_leads() {
    let page = guide::block(PAGE, "Fields of the record", "json");
    let record: Value = serde_json::from_str(&page).unwrap();
    let id = record["openReplaySession.id"].as_str().unwrap();
    let started = (id.parse::<u64>().unwrap() >> 24) + SESSIONS_SINCE;
    let at = milliseconds(record["@timestamp"].as_str().unwrap());
    assert_eq!(
        record["openReplaySession.url"],
        format!(
            "https://openreplay.example.com/1234/session/{id}?jumpto={}",
            at - started
        )
    );
    assert_eq!(
        record["http.request.id"],
        record["spans"][0]["fields"]["request_id"]
    );
}
