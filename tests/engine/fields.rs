//! Each field of a record that an option or a feature adds is found by its value, where `setup`
//! made `logs`.

use std::time::Duration;

use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{
    Elasticsearch, Elasticsearch8, Engine, Lines, OpenSearch, Terminal, guide,
};
use openreplay_elastic::ElasticWriter;
use openreplay_session::{SessionId, sync_scope};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};
use tracing::{error, info_span, subscriber::with_default};
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::prelude::*;

#[test]
#[ignore = "needs Elasticsearch"]
fn a_term_finds_each_field_on_elasticsearch() {
    let engine = Elasticsearch::start();
    let record = a_term_finds_each_field(&engine);
    the_guides_command_finds_the_records_of_a_trace(&engine, &record);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_term_finds_each_field_on_elasticsearch_8() {
    a_term_finds_each_field(&Elasticsearch8::start());
}

#[test]
#[ignore = "needs OpenSearch"]
fn a_term_finds_each_field_on_opensearch() {
    a_term_finds_each_field(&OpenSearch::start());
}

/// Returns the record.
fn a_term_finds_each_field(engine: &Engine) -> Value {
    let output = engine.command(&["setup"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let record = written(engine);
    let hits = |query: &Value| {
        let query = json!({"query": query}).to_string();
        engine.ok("POST", "/logs/_search", &query)["hits"]["hits"].clone()
    };
    let names = [
        "level",
        "tags",
        "openReplaySession.id",
        "openReplaySession.url",
        "trace.id",
        "span.id",
        "http.request.id",
        "process.pid",
        "process.thread.name",
        "process.thread.id",
        "log.logger",
        "log.origin.file.name",
        "log.origin.file.line",
        "service.name",
        "service.version",
        "service.environment",
        "host.name",
    ];
    for name in names {
        let value = match &record[name] {
            Value::Array(values) => &values[0],
            Value::Null => panic!("{name} is not in {record}"),
            value => value,
        };
        let found = hits(&json!({"term": {name: value}}));
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{name}: {found}");
        assert_eq!(found[0]["_source"], record, "{name}");
    }
    let found = hits(&json!({"term": {"fields.order": "17"}}));
    assert_eq!(found[0]["_source"], record);
    // a field of one's own is kept, and found only once it is mapped
    let own = json!({"term": {"deployment.region": "eu"}});
    assert_eq!(record["deployment.region"], "eu");
    assert_eq!(hits(&own), json!([]));
    record
}

/// Writes a record with each field that there is, and returns it.
fn written(engine: &Engine) -> Value {
    let builder = ElasticWriter::builder(engine.url()).basic(USER, PASSWORD);
    let (writer, guard) = builder.build().unwrap();
    let lines = Lines::default();
    let provider = SdkTracerProvider::default();
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    let json = tracing_openreplay::json()
        .with_service_name("shop")
        .with_service_version("1.2.3")
        .with_service_environment("production")
        .with_host_name("host-1")
        .with_field("deployment.region", "eu")
        .with_process_id(true)
        .with_thread_name(true)
        .with_thread_id(true)
        .with_replay_url("https://openreplay.example.com/1234")
        .with_writer(writer.and(lines.clone()));
    with_default(
        tracing_subscriber::registry().with(traces).with(json),
        || {
            let _span = info_span!("request", request_id = "0f8fad5b-d9cb").entered();
            let session = SessionId::from(4_950_498_349_085_463_837);
            sync_scope(session, || error!(order = 17, "no price"));
        },
    );
    let done = guard.shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done:?}");
    engine.ok("POST", "/logs/_refresh", "");
    lines.records().remove(0)
}

fn the_guides_command_finds_the_records_of_a_trace(engine: &Engine, record: &Value) {
    let page = "docs/requests-and-traces.md";
    let example: Value =
        serde_json::from_str(&guide::block(page, "Fields of the record", "json")).unwrap();
    let [command] = guide::commands(
        page,
        &[(
            example["trace.id"].as_str().unwrap(),
            record["trace.id"].as_str().unwrap(),
        )],
    );
    let variables = [
        ("ELASTICSEARCH_URL", engine.url()),
        ("ELASTICSEARCH_USER", USER),
        ("ELASTICSEARCH_PASSWORD", PASSWORD),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(folder.path(), &[]);
    for (name, value) in variables {
        terminal.ok(&format!("export {name}='{value}'"));
    }
    let found: Value = serde_json::from_str(&terminal.ok(&command)).unwrap();
    assert_eq!(found["hits"]["total"]["value"], 1, "{found}");
    assert_eq!(found["hits"]["hits"][0]["_source"], *record);
}
