use std::io::Write as _;

use integration_tests::StandIn;
use tracing_subscriber::fmt::MakeWriter as _;
use tracing_subscriber::prelude::*;

use crate::support::*;

const KEY: &str = "aWQtb2Yta2V5OnNlY3JldC1vZi1rZXk=";

#[test]
fn delivers_each_line_once() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url()).build().unwrap();
    write(&writer, 0..5_000);
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..5_000);
    let stats = writer.stats();
    assert_eq!(
        (stats.accepted, stats.indexed, stats.queued),
        (5_000, 5_000, 0)
    );
}

#[test]
fn keeps_the_order_and_the_bytes_of_the_lines() {
    let server = StandIn::start();
    server.keep_received();
    let (writer, guard) = quick(server.url()).build().unwrap();
    write(&writer, 0..100);
    assert!(guard.shutdown(LIMIT).is_complete());
    let sent: Vec<_> = server
        .documents()
        .iter()
        .map(|document| document["number"].as_u64().unwrap())
        .collect();
    assert!(sent.is_sorted(), "the ids sort as the lines came");
    let received = server.received().join("\n");
    assert!(
        received.contains(&record(42, "info")),
        "not a byte of it is changed"
    );
    for request in server.received() {
        assert!(
            request.starts_with("POST /logs/_bulk?require_alias=true&filter_path="),
            "{request}"
        );
    }
}

#[test]
fn compresses_if_configured() {
    let server = StandIn::start();
    server.keep_received();
    let (writer, guard) = quick(server.url()).gzip(1).build().unwrap();
    write(&writer, 0..3_000);
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_once(&server.documents(), 0..3_000);
    assert!(server.received()[1].contains("content-encoding: gzip"));
}

#[test]
fn sends_several_requests_at_a_time_if_configured() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url())
        .requests_in_flight(3)
        .flush_bytes(4_000)
        .build()
        .unwrap();
    write(&writer, 0..2_000);
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_once(&server.documents(), 0..2_000);
}

#[test]
fn a_record_may_come_in_pieces_or_with_others() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url()).build().unwrap();
    let mut line = writer.make_writer();
    line.write_all(b"{\"number\":").unwrap();
    line.write_all(b"0}\n{\"number\"").unwrap();
    write!(line, ":1}}").unwrap();
    drop(line);
    writer
        .make_writer()
        .write_all(b"{\"number\":2}\n\n  {\"number\":3}\r\n")
        .unwrap();
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_once(&server.documents(), 0..4);
}

#[test]
fn rejects_and_counts_what_is_not_an_object() {
    let server = StandIn::start();
    let reports = Reports::default();
    let (writer, guard) = quick(server.url())
        .on_diagnostic(reports.listen())
        .build()
        .unwrap();
    for line in ["plain text", "[1]", "\"{}\"", "{\n  \"pretty\": 1\n}"] {
        writer.write_line(line.as_bytes());
    }
    write(&writer, 0..1);
    reports.wait_for("lines were rejected because they are not JSON objects");
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..1);
    let stats = writer.stats();
    assert_eq!((stats.accepted, stats.rejected, stats.indexed), (7, 6, 1));
}

#[test]
fn works_with_any_json_layer_and_without_a_runtime() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url()).build().unwrap();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(writer);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::error!(number = 1, "no");
        tracing::info!(number = 2, "yes");
    });
    assert!(guard.shutdown(LIMIT).is_complete());
    let levels: Vec<_> = server
        .documents()
        .iter()
        .map(|document| document["level"].clone())
        .collect();
    assert_eq!(levels.len(), 2);
    assert!(levels.contains(&"ERROR".into()) && levels.contains(&"INFO".into()));
}

#[test]
fn is_built_used_and_dropped_on_a_current_thread_runtime() {
    let server = StandIn::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (writer, guard) = quick(server.url()).build().unwrap();
        write(&writer, 0..10);
        // nothing of this runtime runs meanwhile
        drop(guard);
    });
    assert_once(&server.documents(), 0..10);
}

#[test]
fn waits_for_the_alias_creates_no_index_and_names_the_fix() {
    let server = StandIn::start();
    server.remove_alias();
    let reports = Reports::default();
    let (writer, guard) = quick(server.url())
        .on_diagnostic(reports.listen())
        .build()
        .unwrap();
    write(&writer, 0..10);
    reports.wait_for("run `openreplay-elastic setup`");
    assert_eq!(server.indices(), ["logs-000001"]);
    assert_eq!(writer.stats().queued, 10);
    server.roll_over("logs-000002");
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents_in("logs-000002"), 0..10);
}

#[test]
fn keeps_the_records_while_the_credentials_are_wrong_and_shows_them_to_nobody() {
    let server = StandIn::start();
    server.expect_authorization("ApiKey other");
    let reports = Reports::default();
    let (writer, guard) = quick(server.url())
        .api_key(KEY)
        .on_diagnostic(reports.listen())
        .build()
        .unwrap();
    write(&writer, 0..10);
    reports.wait_for("check the API key");
    assert_balance(writer.stats());
    server.expect_authorization(format!("ApiKey {KEY}"));
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..10);
    for text in [
        reports.all(),
        format!("{writer:?} {guard:?}"),
        format!("{:?}", server.documents()),
    ] {
        assert!(
            !text.contains("secret-of-key") && !text.contains(KEY),
            "{text}"
        );
    }
}

#[test]
fn an_error_has_nothing_of_the_credentials() {
    for builder in [
        quick("http://localhost").api_key("not-the-encoded-form"),
        quick("http://localhost").bearer("not-the-encoded-form\n x"),
        quick("not-the-encoded-form@localhost"),
        quick("http://a:not-the-encoded-form@local host"),
    ] {
        let before = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        let shown = format!("{before} {error} {error:?}");
        assert!(!shown.contains("not-the-encoded-form"), "{shown}");
    }
}
