//! Records that wait for their next attempt by themselves.

use std::time::{Duration, Instant};

use integration_tests::{Fault, StandIn};
use serde_json::json;

use crate::support::*;

#[test]
fn a_record_that_the_engine_fails_on_holds_up_no_other() {
    let server = StandIn::start();
    server.fail_on(|document| document["number"] == json!(13));
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    for start in (0..100).step_by(20) {
        write(&writer, start..start + 20);
        wait_until("the others are stored", || writer.stats().queued <= 1);
        assert_balance(writer.stats());
    }
    wait_until("all the others are stored", || writer.stats().indexed == 99);
    assert_eq!(guard.flush(Duration::from_millis(50)).left(), 1);
    // and that one, when the engine takes it again, with nothing else to send
    server.fail_on(|_| false);
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..100);
}

#[test]
fn a_record_set_aside_is_sent_at_the_end_or_counted() {
    for is_mended in [true, false] {
        let server = StandIn::start();
        server.fail_on(|document| document["number"] == json!(3));
        let reports = Reports::default();
        let builder = quick(server.url()).on_diagnostic(reports.listen());
        let (writer, guard) = builder.build().unwrap();
        write(&writer, 0..10);
        wait_until("the others are stored", || writer.stats().indexed == 9);
        if is_mended {
            server.fail_on(|_| false);
            assert!(guard.shutdown(LIMIT).is_complete());
            assert_once(&server.documents(), 0..10);
        } else {
            let started = Instant::now();
            assert_eq!(guard.shutdown(Duration::from_millis(300)).left(), 1);
            assert_gave_up(started);
            reports.wait_for("stopped with 1 records");
        }
        assert_balance(writer.stats());
        assert_eq!(writer.stats().queued, 0);
    }
}

#[test]
fn the_end_does_not_wait_for_a_long_retry_after() {
    let server = StandIn::start();
    // the second time when the end has begun
    server.inject([Fault::Status(429, Some(300)), Fault::Status(429, Some(300))]);
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    write(&writer, 0..10);
    wait_until("a fault is met", || server.faults_left() == 1);
    assert!(guard.shutdown(Duration::from_secs(6)).is_complete());
    assert_once(&server.documents(), 0..10);
}
