//! What only a real Elasticsearch and a real OpenSearch can prove.

mod advice;
mod also;
mod bad_input;
mod check;
mod check_responses;
mod containers;
mod exits;
mod fields;
mod files;
mod fixture;
mod hurting;
mod keys;
mod many_fields;
mod opensearch;
mod reindex;
mod rotate;
mod rows;
mod setup;
mod ship;
mod terminal;
mod tls;
mod words;

use std::time::Duration;

use integration_tests::Engine;
use integration_tests::engine::{PASSWORD, USER};
use openreplay_elastic::{Client, Connection, ElasticWriter};
use serde_json::{Value, json};

/// A client of the user who may do everything.
fn client(engine: &Engine) -> Client {
    let connection = Connection::builder(engine.url()).basic(USER, PASSWORD);
    Client::new(&connection.build().unwrap()).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

/// A record as the JSON layer writes it.
fn record(session: &str, level: &str, message: &str) -> Value {
    let now = now();
    json!({
        "@timestamp": now,
        "utc_time": now,
        "level": level,
        "message": format!("[openReplaySession.id={session}] {message}"),
        "openReplaySession.id": session,
        "log.logger": "shop::cart",
        "service.name": "shop",
    })
}

fn now() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

/// Stores records at once, and makes them searchable.
fn store(engine: &Engine, index: &str, records: &[Value]) {
    let mut body = String::new();
    for record in records {
        body.push_str("{\"create\":{}}\n");
        body.push_str(&record.to_string());
        body.push('\n');
    }
    let response = engine.ok("POST", &format!("/{index}/_bulk?refresh=true"), &body);
    assert_eq!(response["errors"], false, "{response}");
}

/// Writes lines by an [`ElasticWriter`], and waits until they are there.
fn write(engine: &Engine, lines: &[String]) {
    let builder = ElasticWriter::builder(engine.url()).basic(USER, PASSWORD);
    let (writer, guard) = builder.build().unwrap();
    for line in lines {
        writer.write_line(line.as_bytes());
    }
    let done = guard.shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done:?}");
    engine.ok("POST", "/logs/_refresh", "");
}

/// Stores 300 records of session 7, in no order of time; gives them.
fn store_unsorted(engine: &Engine, index: &str) -> Vec<Value> {
    let records: Vec<_> = (0..300)
        .map(|n| {
            let n = n * 7 % 300;
            let mut record = record("7", "info", &"word ".repeat(n % 9));
            record["@timestamp"] = json!(format!("2026-07-01T12:{:02}:{:02}Z", n / 60, n % 60));
            record
        })
        .collect();
    for some in records.chunks(100) {
        store(engine, index, some);
    }
    records
}
