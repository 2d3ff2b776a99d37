//! `setup`: from nothing, again, and where something else stands.

use integration_tests::{Elasticsearch, Elasticsearch8, Engine, FixedServer, OpenSearch};
use openreplay_elastic::admin::setup::{self, LogsChange, SetupOptions};
use openreplay_elastic::{Client, Connection};
use serde_json::json;

use crate::{block_on, client, record, store};

#[test]
#[ignore = "needs Elasticsearch"]
fn makes_logs_once_on_elasticsearch() {
    makes_logs_once(
        &Elasticsearch::start(),
        "Elasticsearch 9.1.0",
        &json!({"policy": {"type": "time_based", "merge_factor": "5"}}),
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn makes_logs_once_on_elasticsearch_8() {
    makes_logs_once(
        &Elasticsearch8::start(),
        "Elasticsearch 8.19.0",
        &json!({"policy": {"type": "time_based", "merge_factor": "5"}}),
    );
}

#[test]
#[ignore = "needs OpenSearch"]
fn makes_logs_once_on_opensearch() {
    makes_logs_once(
        &OpenSearch::start(),
        "OpenSearch 3.4.0",
        &json!({"policy": "log_byte_size", "log_byte_size_policy": {"merge_factor": "5"}}),
    );
}

fn makes_logs_once(engine: &Engine, name: &str, merge: &serde_json::Value) {
    let output = engine.command(&["setup", "--json"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(
        output.json(),
        json!({"engine": name, "created": true, "repaired": false, "write_index": "logs-000001", "added": [], "first_record": true, "findings": []})
    );
    let again = engine.command(&["setup"]);
    assert_eq!(again.code, Some(0));
    assert_eq!(again.out.lines().count(), 1, "{again:?}");
    assert!(
        again.out.contains("`logs` exists and writes to"),
        "{again:?}"
    );

    let index = &engine.ok("GET", "/logs/_settings", "")["logs-000001"]["settings"]["index"];
    assert_eq!(
        index["sort"],
        json!({"field": ["@timestamp"], "order": ["asc"]})
    );
    assert_eq!(index["merge"], *merge);
    assert_eq!(index["number_of_shards"], "1");
    assert_eq!(
        engine.ok("GET", "/_cluster/health/logs", "")["status"],
        "green"
    );
    let message =
        &engine.ok("GET", "/logs/_mapping", "")["logs-000001"]["mappings"]["properties"]["message"];
    assert_eq!(
        message,
        &json!({"type": "text", "similarity": "boolean", "norms": false})
    );
    let found = engine.ok("GET", "/logs/_search", "");
    assert_eq!(found["hits"]["total"]["value"], 1);

    // what Kibana queries of a time field works without an index on it
    let range =
        json!({"query": {"range": {"@timestamp": {"gte": "now-1h", "lt": "now+1h"}}}}).to_string();
    assert_eq!(
        engine.ok("POST", "/logs/_search", &range)["hits"]["total"]["value"],
        1
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn eight_at_once_make_one() {
    let engine = Elasticsearch::start();
    let client = client(&engine);
    let done = block_on(async {
        let runs: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { setup::run(&client, &SetupOptions::default()).await })
            })
            .collect();
        let mut done = Vec::new();
        for run in runs {
            done.push(run.await.unwrap().unwrap());
        }
        done
    });
    assert_eq!(
        done.iter()
            .filter(|done| done.change == LogsChange::Created)
            .count(),
        1
    );
    assert!(done.iter().all(|done| done.write_index == "logs-000001"));
    assert_eq!(engine.ok("GET", "/logs/_count", "")["count"], 1);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn changes_nothing_where_logs_is_an_index() {
    let engine = Elasticsearch::start();
    engine.ok("PUT", "/logs", "");
    changes_nothing(&engine, "`logs` is an index, but apps");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn changes_nothing_where_logs_is_an_alias_of_others() {
    let engine = Elasticsearch::start();
    engine.ok("PUT", "/mine", r#"{"aliases":{"logs":{}}}"#);
    changes_nothing(&engine, "`logs` already is an alias of mine");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn changes_nothing_where_the_first_index_is_there_already() {
    let engine = Elasticsearch::start();
    engine.ok("PUT", "/logs-000001", "");
    changes_nothing(
        &engine,
        "an index logs-000001 exists, but not behind `logs`",
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn changes_nothing_where_an_index_of_others_is_written_to_and_repairs_it_once_that_is_read_only() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    engine.ok("PUT", "/mine", "");
    let write_to = |index: &str, is: bool| {
        let add = json!({"index": index, "alias": "logs", "is_write_index": is});
        let actions = json!({"actions": [{"add": add}]});
        engine.ok("POST", "/_aliases", &actions.to_string());
    };
    write_to("logs-000001", false);
    write_to("mine", true);
    changes_nothing(&engine, "`logs` writes to mine");
    let output = engine.command(&["rotate", "--json"]);
    assert_eq!(
        output.json()["error"]["precondition"],
        "foreign-write-index",
        "{output:?}"
    );

    // as it was told to
    write_to("mine", false);
    assert_eq!(
        engine.command(&["setup", "--json"]).json()["write_index"],
        "logs-000001"
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn names_an_index_to_write_to_where_logs_has_lost_it() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    assert_eq!(engine.command(&["rotate"]).code, Some(0));
    store(&engine, "logs", &[record("7", "info", "before")]);
    let add = json!({"index": "logs-000002", "alias": "logs", "is_write_index": false});
    let actions = json!({"actions": [{"add": add}]}).to_string();
    engine.ok("POST", "/_aliases", &actions);

    let output = engine.command(&["rotate", "--json"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    let error = &output.json()["error"];
    assert_eq!(error["precondition"], "no-write-index", "{output:?}");
    assert!(
        output.err.contains("run `openreplay-elastic setup`"),
        "{output:?}"
    );

    let done = engine.command(&["setup", "--json"]).json();
    assert_eq!(done["repaired"], true, "{done}");
    assert_eq!(done["write_index"], "logs-000002", "{done}");
    let again = engine.command(&["setup", "--json"]).json();
    assert_eq!(again["repaired"], false, "{again}");
    store(&engine, "logs", &[record("7", "info", "after")]);
    assert_eq!(engine.command(&["logs", "7", "--json"]).json()["total"], 2);
}

#[test]
#[ignore = "needs OpenSearch"]
fn changes_nothing_where_logs_is_a_data_stream() {
    let engine = OpenSearch::start();
    engine.ok(
        "PUT",
        "/_index_template/streams",
        r#"{"index_patterns":["logs"],"data_stream":{}}"#,
    );
    engine.ok("PUT", "/_data_stream/logs", "");
    changes_nothing(&engine, "`logs` is a data stream, which");
}

#[track_caller]
fn changes_nothing(engine: &Engine, found: &str) {
    let templates = || {
        engine
            .request("GET", "/_index_template/openreplay-logs", "")
            .0
    };
    let before = (engine.ok("GET", "/_alias", ""), templates());
    let output = engine.command(&["setup"]);
    assert_eq!((output.code, &output.out[..]), (Some(3), ""), "{output:?}");
    assert!(
        output.err.contains(found) && output.err.contains("nothing was changed"),
        "{output:?}"
    );
    assert_eq!((engine.ok("GET", "/_alias", ""), templates()), before);
}

/// A stand-in: these engines have no wired streams. Its response has the shape that Elasticsearch
/// 9.1 documents.
#[test]
fn changes_nothing_where_wired_streams_own_the_name() {
    let stand_in = FixedServer::start(vec![
        ("GET", "/", 200, json!({"version": {"number": "9.1.0"}})),
        (
            "GET",
            "/_streams/status",
            200,
            json!({"logs": {"enabled": true}}),
        ),
    ]);
    let client = Client::new(&Connection::builder(stand_in.url()).build().unwrap()).unwrap();
    let error = block_on(setup::run(&client, &SetupOptions::default())).unwrap_err();
    assert!(error.is_precondition());
    assert!(
        error.to_string().starts_with("wired streams are enabled"),
        "{error}"
    );
    assert_eq!(stand_in.requests(), ["GET /", "GET /_streams/status"]);
}

/// Elasticsearch lets the request's mappings go before those of a template, so there is no
/// conflict.
#[test]
#[ignore = "needs OpenSearch"]
fn leaves_nothing_behind_where_a_template_of_others_conflicts() {
    let engine = OpenSearch::start();
    let template = json!({
        "index_patterns": ["logs-*"],
        "priority": 900,
        "template": {"mappings": {"properties": {"log": {"type": "keyword"}}}},
    });
    engine.ok("PUT", "/_index_template/theirs", &template.to_string());
    let output = engine.command(&["setup"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output
            .err
            .contains("the index template theirs maps a field"),
        "{output:?}"
    );
    assert_eq!(
        engine
            .request("GET", "/_index_template/openreplay-logs", "")
            .0,
        404
    );
    assert_eq!(engine.request("GET", "/logs-000001", "").0, 404);
    engine.ok("DELETE", "/_index_template/theirs", "");
    assert_eq!(engine.command(&["setup"]).code, Some(0));
}
