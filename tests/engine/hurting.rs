//! Documents that hurt: each is findable by its session afterwards.

use std::time::Duration;

use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{Elasticsearch, Elasticsearch8, Engine, OpenSearch};
use jiff::Timestamp;
use openreplay_elastic::ElasticWriter;
use openreplay_session::{SessionId, sync_scope};
use serde_json::{Map, Value, json};
use tracing_subscriber::prelude::*;

use crate::{many_fields, record, write};

/// Which sessions each way of writing has.
const BY_WRITER: usize = 1_000;
const BY_SHIP: usize = 2_000;
const BY_EVENTS: usize = 3_000;

#[test]
#[ignore = "needs Elasticsearch"]
fn hurting_documents_are_found_on_elasticsearch() {
    are_found(&Elasticsearch::start(), [500, 5_000]);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn hurting_documents_are_found_on_elasticsearch_8() {
    are_found(&Elasticsearch8::start(), [500, 5_000]);
}

#[test]
#[ignore = "needs OpenSearch"]
fn hurting_documents_are_found_on_opensearch() {
    // at 500 its `flat_object` overflows the stack, and the request gets no response
    are_found(&OpenSearch::start(), [200, 300]);
}

fn are_found(engine: &Engine, deep_fields: [usize; 2]) {
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let records = hurting(BY_WRITER, deep_fields);
    write(engine, &lines(&records));
    for (session, record) in (BY_WRITER..).zip(&records) {
        record.is_found(engine, session);
    }

    let records = hurting(BY_SHIP, deep_fields);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    std::fs::write(&file, lines(&records).join("\n") + "\n").unwrap();
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
    for (session, record) in (BY_SHIP..).zip(&records) {
        record.is_found(engine, session);
    }

    let events = log_what_hurts(engine);
    for session in BY_EVENTS..BY_EVENTS + events {
        is_found(engine, session, 0, "an event", "error");
    }
}

/// A line, and what has to be left of it.
struct Hurting {
    line: String,
    level: &'static str,
    /// Where it has one that is a time.
    time: Option<String>,
}

impl Hurting {
    fn new(record: &Value, level: &'static str) -> Self {
        let time = record["@timestamp"].as_str().unwrap();
        Self {
            line: record.to_string(),
            level,
            time: time.parse::<Timestamp>().is_ok().then(|| time.to_owned()),
        }
    }

    /// With one more field, before all others, whose value need not be JSON.
    fn with(mut self, field: &str) -> Self {
        self.line.insert_str(1, &format!("{field},"));
        self
    }

    #[track_caller]
    fn is_found(&self, engine: &Engine, session: usize) {
        // rows that OpenReplay cannot show in full
        let code = if self.time.is_some() { 0 } else { 8 };
        let row = is_found(engine, session, code, &self.line, self.level);
        if let Some(time) = &self.time {
            assert_eq!(row["time"], **time, "session {session}: {row}");
        }
    }
}

fn lines(records: &[Hurting]) -> Vec<String> {
    records.iter().map(|record| record.line.clone()).collect()
}

/// By its session, once, and with its level; gives the row.
#[track_caller]
fn is_found(engine: &Engine, session: usize, code: i32, line: &str, level: &str) -> Value {
    let output = engine.command(&["logs", &session.to_string(), "--json"]);
    let start: String = line.chars().take(300).collect();
    assert_eq!(output.code, Some(code), "session {session}: {start}");
    let found = output.json();
    assert_eq!(found["total"], 1, "session {session}: {start}");
    let row = &found["rows"][0];
    assert_eq!(row["level"], level, "session {session}: {start}");
    row.clone()
}

/// Records, each of a session of its own from `first` on.
fn hurting(first: usize, deep_fields: [usize; 2]) -> Vec<Hurting> {
    let mut records = Vec::new();
    let mut add = |what: &str, fields: Value| {
        let session = (first + records.len()).to_string();
        let mut record = record(&session, "error", what);
        record["fields"] = fields;
        records.push(Hurting::new(&record, "error"));
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
        let session = (first + records.len()).to_string();
        let mut record = record(&session, "info", "m");
        change(&mut record);
        records.push(Hurting::new(&record, "info"));
    };
    plain(&|record| record["@timestamp"] = json!("not a time"));
    plain(&|record| record["log.origin.file.line"] = json!("not a number"));
    plain(&|record| record["service.name"] = json!({"not": "a name"}));
    plain(&|record| record["spans"] = json!([{"name": "a"}, "b", 3]));
    plain(&|record| record["unknown"] = json!({"top": {"level": "field"}}));
    let mut next_to = |field: &str| {
        let session = (first + records.len()).to_string();
        let record = record(&session, "warning", "m");
        records.push(Hurting::new(&record, "warning").with(field));
    };
    // the same key twice: rejected as it stands
    next_to(r#""fields":{"a":1,"a":2}"#);
    // the message comes after what no parser may get through
    for (name, levels) in [("deep", [500, 5_000]), ("fields", deep_fields)] {
        for levels in levels {
            let [open, close] = [r#"{"n":"#, "}"].map(|bracket| bracket.repeat(levels));
            next_to(&format!(r#""{name}":{open}1{close}"#));
        }
    }
    next_to(r#""x":NaN"#);
    next_to(r#""fields":{"x":-Infinity}"#);
    records
}

/// Events, each in a session of its own, through `json()`; gives how many.
fn log_what_hurts(engine: &Engine) -> usize {
    let builder = ElasticWriter::builder(engine.url()).basic(USER, PASSWORD);
    let (writer, guard) = builder.build().unwrap();
    let layer = tracing_openreplay::json().with_writer(writer);
    let long = "x".repeat(40_000);
    let message = "word ".repeat(400_000);
    let deep = (0..100).fold(json!("core"), |inner, _| json!({ "n": inner }));
    let events: [&dyn Fn(); 13] = [
        &|| many_fields::log(),
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
