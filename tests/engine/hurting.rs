//! Documents that hurt: each is findable by its session afterwards.

use integration_tests::{Elasticsearch, Elasticsearch8, Engine, OpenSearch};
use serde_json::{Map, Value, json};

use crate::{record, write};

#[test]
#[ignore = "needs Elasticsearch"]
fn hurting_documents_are_found_on_elasticsearch() {
    are_found(&Elasticsearch::start());
}

#[test]
#[ignore = "needs Elasticsearch"]
fn hurting_documents_are_found_on_elasticsearch_8() {
    are_found(&Elasticsearch8::start());
}

#[test]
#[ignore = "needs OpenSearch"]
fn hurting_documents_are_found_on_opensearch() {
    are_found(&OpenSearch::start());
}

fn are_found(engine: &Engine) {
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let mut lines = Vec::new();
    let mut add = |what: &str, fields: Value| {
        let session = (lines.len() + 1).to_string();
        let mut record = record(&session, "error", what);
        record["fields"] = fields;
        lines.push(record.to_string());
    };
    let names: Map<_, _> = (0..5_000)
        .map(|n| (format!("name-{n}"), json!(n)))
        .collect();
    add("5,000 distinct names", names.into());
    add("a number", json!({"same": 1}));
    add("the same name as text", json!({"same": "text"}));
    add(
        "the same name as an object",
        json!({"same": {"deep": true}}),
    );
    add(
        "the same name as a list",
        json!({"same": [1, "two", {"three": 3}]}),
    );
    add("a value of 40 KB", json!({"long": "x".repeat(40_000)}));
    add(
        "40 KB of four-byte characters",
        json!({"long": "\u{1f600}".repeat(10_000)}),
    );
    let deep = (0..100).fold(json!("core"), |inner, _| json!({"n": inner}));
    add("100 levels of nesting", deep);
    add("NaN, as the layer writes it", json!({"ratio": "NaN"}));
    add(
        "names with dots",
        json!({"a.b": 1, "a": {"b": 2}, ".": 3, "": 4}),
    );
    add("no object", json!("text"));
    add(
        &format!("a message of 2 MB {}", "word ".repeat(400_000)),
        json!({}),
    );
    add(
        &format!("one word of 2 MB {}", "x".repeat(2_000_000)),
        json!({}),
    );
    let mut plain = |change: &dyn Fn(&mut Value)| {
        let session = (lines.len() + 1).to_string();
        let mut record = record(&session, "info", "m");
        change(&mut record);
        lines.push(record.to_string());
    };
    plain(&|record| record["@timestamp"] = json!("not a time"));
    plain(&|record| record["log.origin.file.line"] = json!("not a number"));
    plain(&|record| record["service.name"] = json!({"not": "a name"}));
    plain(&|record| record["spans"] = json!([{"name": "a"}, "b", 3]));
    plain(&|record| record["unknown"] = json!({"top": {"level": "field"}}));
    // the same key twice: refused as it stands
    let session = lines.len() + 1;
    let twice = record(&session.to_string(), "info", "twice").to_string();
    lines.push(twice.replacen('{', r#"{"fields":{"a":1,"a":2},"#, 1));
    write(engine, &lines);
    for session in 1..=lines.len() {
        let said = engine.command(&["logs", &session.to_string(), "--json"]);
        let start: String = lines[session - 1].chars().take(300).collect();
        assert_eq!(said.code, Some(0), "session {session}: {start}");
        assert_eq!(said.json()["total"], 1, "session {session}: {start}");
    }
}
