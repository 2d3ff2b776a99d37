//! A record is at fault only where others are taken.

use serde_json::Value;

use super::*;
use crate::bulk::decide::PROBE_AFTER;

const MINUTES: Duration = Duration::from_secs(60);

fn is_poison(document: &Value) -> bool {
    let message = document["message"].as_str().unwrap();
    message.ends_with("poison") && document.get("number").is_some() || message.ends_with("poison!")
}

/// 500 for each poisonous record; others are stored.
fn failing(request: &Request<'_>) -> Reply {
    let status = |document| if is_poison(document) { 500 } else { 201 };
    Reply::Items("logs-1", request.documents.iter().map(status).collect())
}

#[tokio::test]
async fn ten_minutes_of_500_for_everything_cost_nothing() {
    type Failing = fn(&Request<'_>) -> Reply;
    let cases: [(&str, Failing); 8] = [
        ("each record", |request| {
            Reply::Items("logs-1", vec![500; request.documents.len()])
        }),
        ("each record, under the alias", |request| {
            Reply::Items("logs", vec![400; request.documents.len()])
        }),
        ("the whole", |_| Reply::Whole(500, None, "some_exception")),
        ("a gateway", |_| Reply::Whole(502, None, "")),
        ("a proxy", |_| Reply::Whole(403, None, "")),
        ("a page", |_| Reply::Whole(200, None, "")),
        ("a busy one", |_| Reply::Whole(429, None, "some_exception")),
        ("credentials", |_| {
            Reply::Whole(403, None, "security_exception")
        }),
    ];
    for (name, fail) in cases {
        for records in [1, 2, 30] {
            let clock = SimulatedClock::new();
            let time = clock.clone();
            let server = Scripted::new(move |request| {
                if time.passed() < 10 * MINUTES {
                    fail(request)
                } else {
                    Reply::Store
                }
            });
            let mut sender = Sender::new(&server, clock, None);
            for _ in 0..3 {
                sender.deliver(&vec!["fine"; records]).await;
            }
            sender.finish().await;
            assert_eq!(whole(&server), 3 * records, "{name}, {records}");
            assert_eq!(server.documents().len(), 3 * records, "{name}: no note");
            assert_eq!(sender.reported.stored(), 3 * records, "{name}");
            assert_eq!(sender.reported.rejected.borrow().len(), 0, "{name}");
            assert_eq!(
                sender.reported.reports_about(crate::topic::REDUCED),
                0,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn a_record_that_the_engine_fails_on_is_reduced_and_holds_up_none() {
    let server = Scripted::new(failing);
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    sender.deliver(&["fine", "poison", "fine", "poison"]).await;
    for _ in 0..20 {
        sender.deliver(&["fine"; 10]).await;
    }
    assert_eq!(sender.reported.stored(), 202);
    assert_eq!(sender.clock.passed(), Duration::ZERO, "nobody waits");
    sender.finish().await;
    assert!(sender.clock.passed() >= PROBE_AFTER);
    assert!(sender.clock.passed() < PROBE_AFTER + MINUTES);
    assert_eq!((sender.reported.stored(), whole(&server)), (204, 202));
    assert_eq!(sender.reported.rejected.borrow().len(), 0);
    let documents = server.documents();
    let reduced = |one: &&Value| one["message"].as_str().unwrap().ends_with(" poison");
    assert_eq!(documents.iter().filter(reduced).count(), 2);
    let note = |one: &&Value| one["log.logger"] == "openreplay_elastic";
    assert_eq!(documents.iter().filter(note).count(), 2);
}

#[tokio::test]
async fn a_record_that_is_accepted_in_no_form_is_rejected_in_the_end() {
    let server = Scripted::new(failing);
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    sender.deliver(&["fine", "poison!"]).await;
    sender.finish().await;
    assert_eq!(sender.reported.stored(), 1);
    assert_eq!(sender.reported.rejected.borrow().len(), 1);
    assert_eq!(sender.reported.reports_about(crate::topic::REJECTED), 1);
    assert!(sender.clock.passed() >= 2 * PROBE_AFTER);
}

#[tokio::test]
async fn a_single_record_in_doubt_is_set_aside_after_a_while() {
    let server = Scripted::new(failing);
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    sender.deliver(&["poison"]).await;
    assert!(sender.clock.passed() < Duration::from_secs(5));
    sender.deliver(&["fine"]).await;
    assert_eq!(sender.reported.stored(), 1);
    sender.finish().await;
    assert_eq!(sender.reported.stored(), 2);
}

#[tokio::test]
async fn a_request_that_is_rejected_for_one_record_costs_no_other() {
    for (status, by) in [
        (500, "some_exception"),
        (400, "some_exception"),
        // a firewall that does not like what it reads
        (400, ""),
        (403, ""),
        (200, ""),
    ] {
        let server = Scripted::new(move |request| {
            if request.documents.iter().any(is_poison) {
                Reply::Whole(status, None, by)
            } else {
                Reply::Store
            }
        });
        let mut sender = Sender::new(&server, SimulatedClock::new(), None);
        let mut texts = ["fine"; 20];
        texts[13] = "poison";
        sender.deliver(&texts).await;
        sender.finish().await;
        let counts = (sender.reported.stored(), whole(&server));
        assert_eq!(counts, (20, 19), "{status} {by}");
    }
}

#[tokio::test]
async fn what_a_pipeline_fails_on_is_reduced_where_others_pass() {
    let server = Scripted::new(|request| {
        let status = |document| if is_poison(document) { 400 } else { 201 };
        // nobody came to the index where all fail
        let statuses: Vec<_> = request.documents.iter().map(status).collect();
        let index = if statuses.contains(&201) {
            "logs-1"
        } else {
            "logs"
        };
        Reply::Items(index, statuses)
    });
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    sender.deliver(&["fine", "poison", "poison!", "fine"]).await;
    assert_eq!((sender.reported.stored(), whole(&server)), (3, 2));
    assert_eq!(sender.reported.rejected.borrow().len(), 1);
    assert_eq!(sender.clock.passed(), Duration::ZERO);
    // alone: another has to be taken first
    sender.deliver(&["poison"]).await;
    sender.finish().await;
    assert_eq!(sender.reported.stored(), 4);
    assert!(sender.clock.passed() >= PROBE_AFTER);
}

#[tokio::test]
async fn many_poisonous_records_are_all_decided() {
    let server = Scripted::new(failing);
    let mut sender = Sender::new(&server, SimulatedClock::new(), None);
    for _ in 0..10 {
        let mut texts = ["fine"; 30];
        texts[..12].fill("poison");
        sender.deliver(&texts).await;
    }
    sender.finish().await;
    assert_eq!((sender.reported.stored(), whole(&server)), (300, 180));
}

#[tokio::test]
async fn a_flush_does_not_wait_long_for_what_was_set_aside() {
    for (clock, least, most) in [
        (SimulatedClock::new(), 1_500, 60_000),
        (SimulatedClock::flushed(), 0, 1_000),
    ] {
        let mut failures = 6;
        let server = Scripted::new(move |request| {
            if failures > 0 && request.documents.iter().any(is_poison) {
                failures -= 1;
                return failing(request);
            }
            Reply::Store
        });
        let mut sender = Sender::new(&server, clock, None);
        sender.deliver(&["fine", "poison"]).await;
        sender.finish().await;
        assert_eq!((sender.reported.stored(), whole(&server)), (2, 2));
        let passed = sender.clock.passed().as_millis();
        assert!((least..most).contains(&passed), "{passed} ms");
    }
}
