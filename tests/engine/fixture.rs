//! The engines themselves: without these, the other tests' failures would mean little.

use integration_tests::{Elasticsearch, Engine, OpenSearch};

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
