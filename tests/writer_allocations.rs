//! What a log call allocates once the buffer has been used: nothing. And whom it waits for: nobody.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use integration_tests::{Fault, StandIn};
use openreplay_elastic::ElasticWriter;
use openreplay_session::{SessionId, sync_scope};
use tracing::subscriber::with_default;
use tracing_subscriber::fmt::MakeWriter as _;
use tracing_subscriber::prelude::*;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_log_call_allocates_nothing_in_steady_state() {
    let server = StandIn::start();
    server.forget();
    let (writer, guard) = ElasticWriter::builder(server.url())
        .buffer_bytes(4 * 1024 * 1024)
        .build()
        .unwrap();
    let line = format!(
        r#"{{"level":"info","message":"{}"}}{}"#,
        "x".repeat(370),
        "\n"
    );
    let write = |records: usize| {
        for _ in 0..records {
            writer.make_writer().write_all(line.as_bytes()).unwrap();
        }
    };
    // more than the buffer holds: from here on its memory goes round
    for _ in 0..3 {
        write(20_000);
        assert!(guard.flush(LIMIT).is_complete());
    }
    for round in 0..20 {
        let calls = allocation_counter::measure(|| write(2_000));
        assert_eq!(calls.count_total, 0, "round {round}: {calls:?}");
        assert!(guard.flush(LIMIT).is_complete());
    }
    assert!(writer.stats().dropped > 0, "the buffer has been full");
}

#[test]
fn an_event_allocates_nothing_in_steady_state_nor_with_a_full_buffer() {
    let server = StandIn::start();
    server.forget();
    let (writer, guard) = ElasticWriter::builder(server.url())
        .buffer_bytes(4 * 1024 * 1024)
        .shutdown_timeout(Duration::ZERO)
        .on_diagnostic(|_| {})
        .build()
        .unwrap();
    let layer = tracing_openreplay::json().with_writer(writer.clone());
    let log = |events: usize| {
        sync_scope(SessionId::from(7), || {
            for number in 0..events / 2 {
                tracing::info!(number, item = "tea", "an item was put into the cart");
                tracing::error!(number, price = 1.5, "the payment was declined");
            }
        });
    };
    with_default(tracing_subscriber::registry().with(layer), || {
        for _ in 0..3 {
            log(20_000);
            assert!(guard.flush(LIMIT).is_complete());
        }
        for round in 0..10 {
            let calls = allocation_counter::measure(|| log(2_000));
            assert_eq!(calls.count_total, 0, "round {round}: {calls:?}");
            assert!(guard.flush(LIMIT).is_complete());
        }

        server.inject([Fault::Stall(Duration::from_secs(600))]);
        let before = writer.stats();
        // nothing but errors is left then
        while server.faults_left() > 0 || writer.stats().dropped < before.dropped + 40_000 {
            log(1_000);
        }
        let before = writer.stats();
        let calls = allocation_counter::measure(|| log(20_000));
        assert_eq!(calls.count_total, 0, "{calls:?}");
        let after = writer.stats();
        assert_eq!(after.accepted, before.accepted + 20_000);
        assert!(after.dropped >= before.dropped + 19_000, "{after:?}");
        assert_eq!(after.indexed, before.indexed);
    });
}

/// That this test ends is the proof: the server hangs for ten minutes.
#[test]
fn a_log_call_into_a_full_buffer_allocates_nothing_and_waits_for_nobody() {
    const CALLS: usize = 20_000;
    let server = StandIn::start();
    server.inject([Fault::Stall(Duration::from_secs(600))]);
    let (writer, guard) = ElasticWriter::builder(server.url())
        .buffer_bytes(1024 * 1024)
        .shutdown_timeout(Duration::ZERO)
        .build()
        .unwrap();
    let line = |level: &str| {
        let text = "x".repeat(370);
        format!("{{\"level\":\"{level}\",\"message\":\"{text}\"}}\n")
    };
    let write = |level: &str, calls: usize| {
        let line = line(level);
        let calls = allocation_counter::measure(|| {
            for _ in 0..calls {
                writer.make_writer().write_all(line.as_bytes()).unwrap();
            }
        });
        calls.count_total
    };
    while server.faults_left() > 0 || writer.stats().dropped == 0 {
        write("info", 100);
    }
    let before = writer.stats();
    let told = server.requests();
    thread::scope(|scope| {
        // errors make themselves room at first
        let threads = ["info", "error", "info", "error"]
            .map(|level| scope.spawn(move || write(level, CALLS)));
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 0);
        }
    });
    let after = writer.stats();
    assert_eq!(after.accepted, before.accepted + 4 * CALLS as u64);
    assert_eq!((after.indexed, server.requests()), (0, told));
    assert_eq!(after.accepted, after.dropped + after.queued);
    drop(guard);
}
