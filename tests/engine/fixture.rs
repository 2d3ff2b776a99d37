//! The engines themselves: without these, the other tests' failures would mean little.

use std::panic;

use integration_tests::{Elasticsearch, Elasticsearch8, Engine, OpenSearch};
use serde_json::json;

#[test]
#[ignore = "needs Elasticsearch"]
fn elasticsearch_keeps_its_data_and_port_over_a_kill_and_starts_each_turn_empty() {
    keeps_data_and_starts_empty(Elasticsearch::start);
}

#[test]
#[ignore = "needs OpenSearch"]
fn opensearch_keeps_its_data_and_port_over_a_kill_and_starts_each_turn_empty() {
    keeps_data_and_starts_empty(OpenSearch::start);
}

fn keeps_data_and_starts_empty(start: fn() -> Engine) {
    let engine = start();
    let url = engine.url().to_owned();
    engine.ok("PUT", "/logs/_doc/1?refresh=true", r#"{"message":"kept"}"#);
    engine.ok(
        "PUT",
        "/_index_template/left-over",
        r#"{"index_patterns":["left-over-*"]}"#,
    );
    engine.kill();
    engine.restart();
    let found = engine.ok("GET", "/logs/_doc/1", "");
    assert_eq!(found["_source"]["message"], "kept");
    assert_eq!(engine.url(), url);
    drop(engine);

    let engine = start();
    assert_eq!(engine.request("GET", "/logs", "").0, 404);
    assert_eq!(
        engine.request("GET", "/_index_template/left-over", "").0,
        404
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_turn_leaves_no_user_role_or_key_to_the_next() {
    leaves_nobody(Elasticsearch::start);
    leaves_nobody(Elasticsearch8::start);
}

fn leaves_nobody(start: fn() -> Engine) {
    let engine = start();
    engine.ok("PUT", "/_security/role/left", r#"{"cluster":["all"]}"#);
    engine.ok(
        "PUT",
        "/_security/user/left",
        r#"{"password":"left-over","roles":["left"]}"#,
    );
    engine.ok("POST", "/_security/api_key", r#"{"name":"left"}"#);
    drop(engine);

    let engine = start();
    for path in ["/_security/role/left", "/_security/user/left"] {
        assert_eq!(engine.request("GET", path, "").0, 404);
    }
    let keys = engine.ok("GET", "/_security/api_key?active_only=true", "");
    assert_eq!(keys["api_keys"], json!([]));
}

#[test]
#[ignore = "needs OpenSearch"]
fn a_turn_that_fails_while_the_engine_is_paused_spoils_no_other() {
    let engine = OpenSearch::start();
    engine.ok("PUT", "/_ingest/pipeline/left", r#"{"processors":[]}"#);
    let failed = panic::catch_unwind(move || {
        engine.pause();
        panic!("a test that fails");
    });
    assert!(failed.is_err());
    let engine = OpenSearch::start();
    assert_eq!(engine.request("GET", "/_ingest/pipeline/left", "").0, 404);
}
