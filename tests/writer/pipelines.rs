//! Ingest pipelines on the index, as existing set-ups have them: with the real engines.

use integration_tests::{Elasticsearch, Elasticsearch8, Engine, OpenSearch};
use openreplay_elastic::ElasticWriterBuilder;
use serde_json::json;

use crate::engine::{documents, engine, make_logs, with_key};
use crate::support::*;

#[test]
#[ignore = "needs Elasticsearch"]
fn a_pipeline_costs_no_record_on_elasticsearch() {
    let (engine, key) = engine();
    costs_no_record(&engine, || quick(engine.url()).api_key(&key));
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_pipeline_costs_no_record_on_elasticsearch_8() {
    let (engine, key) = with_key(Elasticsearch8::start());
    costs_no_record(&engine, || quick(engine.url()).api_key(&key));
}

#[test]
#[ignore = "needs OpenSearch"]
fn a_pipeline_costs_no_record_on_opensearch() {
    let engine = OpenSearch::start();
    make_logs(&engine);
    costs_no_record(&engine, || quick(engine.url()));
}

/// With a pipeline that does nothing and one that does not exist, before the index's own and after
/// it.
fn costs_no_record(engine: &Engine, builder: impl Fn() -> ElasticWriterBuilder) {
    engine.ok("PUT", "/_ingest/pipeline/nothing", r#"{"processors":[]}"#);
    let mut written = 0;
    for setting in ["index.default_pipeline", "index.final_pipeline"] {
        set(engine, setting, Some("nothing"));
        // each writer queries the index anew
        let (writer, guard) = builder().on_diagnostic(|_| {}).build().unwrap();
        write(&writer, written..written + 20);
        // a line that no pipeline can read keeps the others from the index
        writer.write_line(b"{not json}");
        write(&writer, written + 20..written + 40);
        assert!(guard.flush(LIMIT).is_complete(), "{setting}");
        assert_eq!(writer.stats().indexed, 41);

        set(engine, setting, Some("gone"));
        let reports = Reports::default();
        let builder = builder().on_diagnostic(reports.listen());
        let (other, other_guard) = builder.build().unwrap();
        write(&writer, written + 40..written + 50);
        write(&other, written + 50..written + 60);
        reports.wait_for("no index behind `logs` accepts writes");
        assert_balance(other.stats());
        set(engine, setting, None);
        assert!(guard.shutdown(LIMIT).is_complete(), "{setting}");
        assert!(other_guard.shutdown(LIMIT).is_complete(), "{setting}");
        written += 60;
    }
    let documents = documents(engine);
    assert_once(&documents, 0..written);
    let is_message = |document: &&serde_json::Value| document["message"] == "{not json}";
    assert_eq!(documents.iter().filter(is_message).count(), 2);
}

fn set(engine: &Engine, setting: &str, pipeline: Option<&str>) {
    let settings = json!({ setting: pipeline });
    engine.ok("PUT", "/logs/_settings", &settings.to_string());
}

#[test]
#[ignore = "needs Elasticsearch"]
fn records_wait_unchanged_while_a_pipeline_fails() {
    let engine = Elasticsearch::start();
    make_logs(&engine);
    // a message is no object that a user's name could be put into
    let failing = r#"{"processors":[{"set_security_user":{"field":"message.user"}}]}"#;
    engine.ok("PUT", "/_ingest/pipeline/fails", failing);
    set(&engine, "index.default_pipeline", Some("fails"));
    let reports = Reports::default();
    let builder = quick(engine.url()).basic(
        integration_tests::engine::USER,
        integration_tests::engine::PASSWORD,
    );
    let (writer, guard) = builder.on_diagnostic(reports.listen()).build().unwrap();
    write(&writer, 0..10);
    reports.wait_for("no index behind `logs` accepts writes");
    set(&engine, "index.default_pipeline", None);
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_once(&documents(&engine), 0..10);
}
