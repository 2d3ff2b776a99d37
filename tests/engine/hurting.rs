//! Documents that hurt: each is findable by its session afterwards.

use std::time::Duration;

use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{Elasticsearch, Elasticsearch8, Engine, OpenSearch};
use openreplay_elastic::ElasticWriter;
use openreplay_session::{SessionId, sync_scope};
use serde_json::{Map, Value, json};
use tracing_subscriber::prelude::*;

use crate::{record, write};

/// Which sessions each way of writing has.
const BY_WRITER: usize = 1_000;
const BY_SHIP: usize = 2_000;
const BY_EVENTS: usize = 3_000;

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
    let lines = hurting(BY_WRITER);
    write(engine, &lines);
    for (session, line) in (BY_WRITER..).zip(&lines) {
        is_found(engine, session, line);
    }

    let lines = hurting(BY_SHIP);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let checkpoint = folder.path().join("ship.json");
    let shipped = engine.command(&[
        "ship",
        "--once",
        "--checkpoint",
        &checkpoint.to_string_lossy(),
        &file.to_string_lossy(),
    ]);
    assert_eq!(shipped.code, Some(0), "{shipped:?}");
    engine.ok("POST", "/logs/_refresh", "");
    for (session, line) in (BY_SHIP..).zip(&lines) {
        is_found(engine, session, line);
    }

    let events = log_what_hurts(engine);
    for session in BY_EVENTS..BY_EVENTS + events {
        is_found(engine, session, "an event");
    }
}

#[track_caller]
fn is_found(engine: &Engine, session: usize, line: &str) {
    let said = engine.command(&["logs", &session.to_string(), "--json"]);
    let start: String = line.chars().take(300).collect();
    assert_eq!(said.code, Some(0), "session {session}: {start}");
    assert_eq!(said.json()["total"], 1, "session {session}: {start}");
}

/// Records, each of a session of its own from `first` on.
fn hurting(first: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add = |what: &str, fields: Value| {
        let session = (first + lines.len()).to_string();
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
        let session = (first + lines.len()).to_string();
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
    let session = first + lines.len();
    let twice = record(&session.to_string(), "info", "twice").to_string();
    lines.push(twice.replacen('{', r#"{"fields":{"a":1,"a":2},"#, 1));
    lines
}

/// Events, each in a session of its own, through `json()`; gives how many.
fn log_what_hurts(engine: &Engine) -> usize {
    let builder = ElasticWriter::builder(engine.url()).basic(USER, PASSWORD);
    let (writer, guard) = builder.build().unwrap();
    let layer = tracing_openreplay::json().with_writer(writer);
    let long = "x".repeat(40_000);
    let message = "word ".repeat(400_000);
    let deep = (0..100).fold(json!("core"), |inner, _| json!({ "n": inner }));
    let events: [&dyn Fn(); 12] = [
        &|| tracing::error!(same = 1, "a number"),
        &|| tracing::error!(same = "text", "the same name as text"),
        &|| tracing::error!(same = ?Some([1, 2]), "the same name as what `Debug` shows"),
        &|| tracing::error!(same.deep = true, "the same name with one below"),
        &|| tracing::error!(same = true, same.deep = 1, "both"),
        &|| tracing::error!(long, "a value of 40 KB"),
        &|| {
            tracing::error!(
                long = "\u{1f600}".repeat(10_000),
                "40 KB of four-byte characters"
            );
        },
        &|| tracing::error!("a message of 2 MB {message}"),
        &|| tracing::error!("one word of 2 MB {}", long.repeat(50)),
        &|| tracing::error!(?deep, "100 levels of nesting"),
        &|| tracing::error!(nan = f64::NAN, infinite = f64::NEG_INFINITY, "no numbers"),
        &|| {
            tracing::error!(
                message = "its own names",
                level = 1,
                tags = 2,
                "@timestamp" = 3,
                "" = 4
            );
        },
    ];
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for (session, event) in (BY_EVENTS..).zip(events) {
            let session: SessionId = session.to_string().parse().unwrap();
            sync_scope(session, event);
        }
    });
    let done = guard.shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done:?}");
    engine.ok("POST", "/logs/_refresh", "");
    events.len()
}
