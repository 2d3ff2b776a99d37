//! Records that wait for their next attempt by themselves.

use std::time::{Duration, Instant};

use integration_tests::{Fault, StandIn};
use serde_json::json;

use crate::support::*;

#[test]
fn a_record_that_the_engine_stumbles_over_holds_up_no_other() {
    let far_end = StandIn::start();
    far_end.stumble(|document| document["number"] == json!(13));
    let (writer, guard) = quick(far_end.url()).on_diagnostic(|_| {}).build().unwrap();
    for start in (0..100).step_by(20) {
        write(&writer, start..start + 20);
        wait_until("the others are stored", || writer.stats().queued <= 1);
        assert_balance(writer.stats());
    }
    wait_until("all the others are stored", || writer.stats().indexed == 99);
    assert_eq!(guard.flush(Duration::from_millis(50)).left(), 1);
    // and that one, when the engine takes it again, with nothing else to send
    far_end.stumble(|_| false);
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&far_end.documents(), 0..100);
}

#[test]
fn a_record_set_aside_is_sent_at_the_end_or_counted() {
    for is_mended in [true, false] {
        let far_end = StandIn::start();
        far_end.stumble(|document| document["number"] == json!(3));
        let said = Said::default();
        let builder = quick(far_end.url()).on_diagnostic(said.listen());
        let (writer, guard) = builder.build().unwrap();
        write(&writer, 0..10);
        wait_until("the others are stored", || writer.stats().indexed == 9);
        if is_mended {
            far_end.stumble(|_| false);
            assert!(guard.shutdown(LIMIT).is_complete());
            assert_once(&far_end.documents(), 0..10);
        } else {
            let started = Instant::now();
            assert_eq!(guard.shutdown(Duration::from_millis(300)).left(), 1);
            assert_gave_up(started);
            said.wait_for("stopped with 1 records");
        }
        assert_balance(writer.stats());
        assert_eq!(writer.stats().queued, 0);
    }
}

#[test]
fn the_end_does_not_wait_until_elasticsearch_wants_to_be_asked_again() {
    let far_end = StandIn::start();
    // the second time when the end has begun
    far_end.inject([Fault::Status(429, Some(300)), Fault::Status(429, Some(300))]);
    let (writer, guard) = quick(far_end.url()).on_diagnostic(|_| {}).build().unwrap();
    write(&writer, 0..10);
    wait_until("a fault is met", || far_end.faults_left() == 1);
    assert!(guard.shutdown(Duration::from_secs(6)).is_complete());
    assert_once(&far_end.documents(), 0..10);
}
