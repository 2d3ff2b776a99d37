//! `setup --also`: indices that have records already come behind `logs`, all of them or none.

use integration_tests::{Elasticsearch, OpenSearch};
use serde_json::json;

use crate::{record, store};

#[test]
#[ignore = "needs Elasticsearch"]
fn puts_further_indices_behind_logs() {
    let engine = Elasticsearch::start();
    engine.ok(
        "PUT",
        "/old",
        r#"{"mappings":{"properties":{"message":{"type":"text"}}}}"#,
    );
    engine.ok(
        "PUT",
        "/never",
        r#"{"mappings":{"properties":{"message":{"type":"keyword"}}}}"#,
    );
    store(&engine, "old", &[record("77", "info", "from before")]);

    let output = engine.command(&["setup", "--also", "never"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(
        output
            .err
            .contains("`message` of never is of the type keyword"),
        "{output:?}"
    );
    assert_eq!(engine.request("GET", "/logs", "").0, 404);

    let output = engine.command(&["setup", "--also", "old", "--json"]);
    let done = output.json();
    assert_eq!(done["added"], json!(["old"]), "{output:?}");
    assert_eq!(done["findings"].as_array().unwrap().len(), 1, "{output:?}");
    assert_eq!(done["findings"][0]["fault"], "not-sorted");
    store(&engine, "logs", &[record("77", "info", "from now")]);
    let output = engine.command(&["logs", "77", "--json"]);
    assert_eq!(output.json()["total"], 2, "{output:?}");
    assert_eq!(engine.ok("GET", "/logs-000001/_count", "")["count"], 1);

    // one that is there already stays as it is
    let output = engine.command(&["setup", "--also", "logs-000001", "--also", "old", "--json"]);
    let done = output.json();
    assert_eq!(done["added"], json!([]), "{output:?}");
    assert_eq!(done["write_index"], "logs-000001");
    store(&engine, "logs", &[record("77", "info", "from later")]);

    for name in ["a b", "a,b", "*", "../x", "logs"] {
        assert_eq!(
            engine.command(&["setup", "--also", name]).code,
            Some(2),
            "{name}"
        );
    }
}

#[test]
#[ignore = "needs OpenSearch"]
fn puts_all_further_indices_behind_logs_or_none() {
    let engine = OpenSearch::start();
    let mapping = r#"{"mappings":{"properties":{"message":{"type":"text"}}}}"#;
    for index in ["old", "older", "shut"] {
        engine.ok("PUT", &format!("/{index}"), mapping);
    }
    engine.ok(
        "POST",
        "/_aliases",
        r#"{"actions":[{"add":{"indices":["old","older"],"alias":"both"}}]}"#,
    );
    engine.ok("POST", "/shut/_close", "");
    engine.ok(
        "PUT",
        "/_index_template/streams",
        r#"{"index_patterns":["stream"],"data_stream":{}}"#,
    );
    engine.ok("PUT", "/_data_stream/stream", "");
    for (name, reason, text) in [
        ("both", "not-an-index", "pass --also old --also older"),
        ("stream", "not-an-index", "stream is a data stream"),
        ("shut", "index-is-closed", "POST /shut/_open"),
        ("absent", "no-index", "there is no index absent"),
    ] {
        let args = ["setup", "--also", "old", "--also", name, "--json"];
        let output = engine.command(&args);
        assert_eq!(output.code, Some(3), "{name}: {output:?}");
        let error = &output.json()["error"];
        assert_eq!(error["precondition"], reason, "{output:?}");
        assert!(error["text"].as_str().unwrap().contains(text), "{output:?}");
        assert!(output.err.contains("nothing was changed"), "{output:?}");
    }
    assert_eq!(engine.request("GET", "/logs", "").0, 404);

    let args = ["--also", "old", "--also", "older", "--also", "old"];
    let output = engine.command(&[&["setup", "--json"], &args[..]].concat());
    assert_eq!(
        output.json()["added"],
        json!(["old", "older"]),
        "{output:?}"
    );
}

#[test]
#[ignore = "needs Elasticsearch"]
fn rejects_an_index_that_openreplay_could_not_read() {
    let engine = Elasticsearch::start();
    let text = json!({"type": "text"});
    let index = |name: &str, mapping: serde_json::Value, more: serde_json::Value| {
        let mappings = json!({"dynamic": false, "properties": {"message": mapping, "level": {"type": "keyword"}}});
        let body = json!({"mappings": mappings, "settings": more}).to_string();
        engine.ok("PUT", &format!("/{name}"), &body);
        store(&engine, name, &[record("7", "info", "m")]);
    };
    let whitespace = json!({"type": "text", "analyzer": "whitespace"});
    index("keyword", json!({"type": "keyword"}), json!({}));
    index(
        "unindexed",
        json!({"type": "text", "index": false}),
        json!({}),
    );
    index("spaced", whitespace, json!({}));
    index("no-level", text.clone(), json!({}));
    let mut bare = record("7", "info", "m");
    bare.as_object_mut().unwrap().remove("level");
    store(&engine, "no-level", &[bare.clone()]);
    engine.ok("PUT", "/no-message", r#"{"mappings":{"dynamic":false}}"#);
    for (name, reason, text) in [
        ("keyword", "not-analysed", "is of the type keyword"),
        ("unindexed", "not-analysed", "is not indexed"),
        ("spaced", "not-analysed", "is analysed into"),
        ("no-level", "no-level", "1 of 2 records has no `level`"),
        ("no-message", "no-message", "has no field `message`"),
        ("absent", "no-index", "there is no index absent"),
    ] {
        let output = engine.command(&["setup", "--also", name, "--json"]);
        assert_eq!(output.code, Some(3), "{name}: {output:?}");
        let error = &output.json()["error"];
        assert_eq!(
            (&error["kind"], &error["precondition"]),
            (&json!("precondition"), &json!(reason)),
            "{output:?}"
        );
        assert!(error["text"].as_str().unwrap().contains(text), "{output:?}");
        assert!(output.err.contains(text), "{output:?}");
    }
    assert_eq!(engine.request("GET", "/logs", "").0, 404);

    // a level that is not mapped is there all the same, and no panel shows a record of no session
    engine.ok(
        "PUT",
        "/unmapped",
        r#"{"mappings":{"dynamic":false,"properties":{"message":{"type":"text"}}}}"#,
    );
    let mut of_none = bare;
    of_none["message"] = json!("m");
    store(&engine, "unmapped", &[record("7", "WARN", "m"), of_none]);
    let output = engine.command(&["setup", "--also", "unmapped", "--json"]);
    let findings = output.json()["findings"].clone();
    let faults: Vec<_> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["fault"])
        .collect();
    assert_eq!(faults, ["unknown-level", "not-sorted"], "{output:?}");

    let sorted = json!({"index.sort.field": "@timestamp"});
    let properties = json!({"message": text, "@timestamp": {"type": "date"}});
    let body = json!({"mappings": {"properties": properties}, "settings": sorted}).to_string();
    engine.ok("PUT", "/sorted", &body);
    let output = engine.command(&["setup", "--also", "sorted", "--json"]);
    assert_eq!(output.json()["findings"], json!([]), "{output:?}");
}
