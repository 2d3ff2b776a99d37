use std::time::{Duration, Instant};

use integration_tests::{Fault, StandIn};
use serde_json::json;

use crate::support::*;

#[test]
fn errors_outlive_infos_and_the_loss_is_reported() {
    let server = StandIn::start();
    server.set_down(true);
    let reports = Reports::default();
    let builder = quick(server.url())
        .buffer_bytes(64 * 1024)
        .on_diagnostic(reports.listen());
    let (writer, guard) = builder.build().unwrap();
    let mut number = 0;
    while writer.stats().dropped < 50 {
        writer.write_line(record(number, "info").as_bytes());
        number += 1;
    }
    for error in 0..100 {
        writer.write_line(record(1_000_000 + error, "error").as_bytes());
    }
    reports.wait_for("the buffer is full");
    let stats = writer.stats();
    assert_balance(stats);
    server.set_down(false);
    assert!(guard.flush(LIMIT).is_complete());
    assert!(guard.shutdown(LIMIT).is_complete());

    let documents = server.documents();
    let errors = documents
        .iter()
        .filter(|document| document["level"] == "error")
        .count();
    assert_eq!(errors, 100, "no error was dropped");
    let notices: Vec<u64> = documents
        .iter()
        .filter_map(|document| {
            document["message"]
                .as_str()?
                .strip_suffix(" records were dropped: the buffer for Elasticsearch was full")
        })
        .map(|count| count.parse().unwrap())
        .collect();
    let stats = writer.stats();
    assert_balance(stats);
    assert_eq!(notices.iter().sum::<u64>(), stats.dropped);
    assert_eq!(documents.len() as u64, stats.indexed);
}

#[test]
fn ends_in_time_and_reports_the_remaining_records_while_the_server_hangs() {
    let server = StandIn::start();
    server.inject([Fault::Stall(Duration::from_secs(600))]);
    let reports = Reports::default();
    let (writer, guard) = quick(server.url())
        .on_diagnostic(reports.listen())
        .build()
        .unwrap();
    write(&writer, 0..10);
    wait_until("the request hangs", || server.faults_left() == 0);
    write(&writer, 10..30);
    let started = Instant::now();
    let flushed = guard.flush(Duration::from_millis(50));
    assert_eq!((flushed.is_complete(), flushed.left()), (false, 30));
    let flushed = guard.shutdown(Duration::from_millis(100));
    assert_gave_up(started);
    assert_eq!(flushed.left(), 30);
    assert_eq!(
        reports.all(),
        "stopped with 30 records that Elasticsearch has not confirmed"
    );
    write(&writer, 30..31);
    let stats = writer.stats();
    assert_balance(stats);
    assert_eq!((stats.dropped, stats.queued), (31, 0));
}

#[test]
fn a_flush_ends_no_pause_that_the_engine_requested() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url())
        .shutdown_timeout(Duration::ZERO)
        .on_diagnostic(|_| {})
        .build()
        .unwrap();
    // longer than any test
    server.inject([Fault::Status(503, None), Fault::Status(429, Some(3_000))]);
    write(&writer, 0..10);
    while server.faults_left() > 0 {
        // ends the pause that no server requested
        assert!(!guard.flush(Duration::from_millis(10)).is_complete());
    }
    let requests = server.requests();
    for _ in 0..20 {
        assert_eq!(guard.flush(Duration::from_millis(10)).left(), 10);
    }
    assert_eq!(server.requests(), requests);
}

#[test]
fn flushing_after_each_record_takes_no_more_room() {
    let server = StandIn::start();
    server.set_down(true);
    let (writer, guard) = quick(server.url())
        .buffer_bytes(1024 * 1024)
        .on_diagnostic(|_| {})
        .build()
        .unwrap();
    for number in 0..1_000 {
        write(&writer, number..number + 1);
        assert!(!guard.flush(Duration::ZERO).is_complete());
    }
    assert_eq!(writer.stats().dropped, 0);
    server.set_down(false);
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..1_000);
}

#[test]
fn halves_what_is_too_much_at_once() {
    let server = StandIn::start();
    server.limit_bodies(3_000);
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    write(&writer, 0..300);
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..300);
}

#[test]
fn a_single_record_that_is_too_much_is_cut() {
    let server = StandIn::start();
    server.limit_bodies(60_000);
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    let long =
        json!({"level": "error", "message": "é".repeat(100_000), "openReplaySession.id": "7"});
    writer.write_line(long.to_string().as_bytes());
    write(&writer, 0..20);
    assert!(guard.flush(LIMIT).is_complete());
    let documents = server.documents();
    assert_once(&documents, 0..20);
    let cut = documents
        .iter()
        .find(|document| document["level"] == "error")
        .unwrap();
    assert!(cut["message"].as_str().unwrap().starts_with("ééé"));
}

#[test]
fn a_rejected_record_is_sent_with_its_fixed_fields_only() {
    let server = StandIn::start();
    server.reject(|document| document.get("number") == Some(&json!(13)));
    let reports = Reports::default();
    let (writer, guard) = quick(server.url())
        .on_diagnostic(reports.listen())
        .build()
        .unwrap();
    write(&writer, 0..30);
    assert!(guard.flush(LIMIT).is_complete());
    let documents = server.documents();
    assert_eq!(documents.len(), 30);
    let reduced: Vec<_> = documents
        .iter()
        .filter(|document| document.get("number").is_none())
        .collect();
    assert_eq!(
        reduced,
        [&json!({
            "@timestamp": "2026-07-01T10:00:00.000000Z", "utc_time": "2026-07-01T10:00:00.000000Z",
            "level": "info", "message": "[openReplaySession.id=7] record 13", "openReplaySession.id": "7",
        })]
    );
    reports.wait_for("sent with its fixed fields only");
    assert_eq!(writer.stats().indexed, 30);
}

#[test]
fn a_record_rejected_in_every_form_is_counted() {
    let server = StandIn::start();
    server.reject(|document| {
        document["message"]
            .as_str()
            .is_some_and(|message| message.ends_with("13"))
    });
    let reports = Reports::default();
    let (writer, guard) = quick(server.url())
        .on_diagnostic(reports.listen())
        .build()
        .unwrap();
    write(&writer, 0..30);
    writer.write_line(b"{not json}");
    assert!(guard.flush(LIMIT).is_complete());
    let documents = server.documents();
    assert_eq!(documents.len(), 30);
    let is_message = |document: &serde_json::Value| document["message"] == "{not json}";
    assert_eq!(documents.iter().filter(|one| is_message(one)).count(), 1);
    let stats = writer.stats();
    assert_eq!((stats.accepted, stats.indexed, stats.rejected), (31, 30, 1));
    reports.wait_for("a record was rejected: Elasticsearch responded with 400");
}
