//! A log call while the buffer is full and the server hangs does not wait.
#![cfg(target_os = "linux")]

use std::time::Duration;
use std::{fs, io, thread};

use integration_tests::{Fault, StandIn};
use openreplay_session::{SessionId, sync_scope};
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_subscriber::prelude::*;

use crate::support::*;

const THREADS: usize = 4;
const CALLS: usize = 5_000;

#[test]
fn a_log_call_waits_no_more_with_a_full_buffer_than_without_a_sink() {
    let server = StandIn::start();
    server.inject([Fault::Stall(Duration::from_secs(600))]);
    let (writer, guard) = quick(server.url())
        .buffer_bytes(1024 * 1024)
        .shutdown_timeout(Duration::ZERO)
        .on_diagnostic(|_| {})
        .build()
        .unwrap();
    wait_until("the buffer is full and the request hangs", || {
        write(&writer, 0..1_000);
        writer.stats().dropped > 0 && server.faults_left() == 0
    });
    let before = writer.stats();
    let layer = tracing_openreplay::json().with_writer(writer.clone());
    let full = measure(&tracing_subscriber::registry().with(layer).into());
    let after = writer.stats();
    let calls = (THREADS * CALLS) as u64;
    assert_eq!(after.accepted, before.accepted + calls);
    assert!(after.dropped >= before.dropped + calls / 2, "{after:?}");
    assert_eq!(after.indexed, 0);
    drop(guard);

    let layer = tracing_openreplay::json().with_writer(io::sink);
    let sink = measure(&tracing_subscriber::registry().with(layer).into());
    // a call that sleeps or waits gives its core away each time; threads that meet at a lock do so
    // now and then
    assert!(
        full < sink + calls / 10,
        "{full} of {calls}, {sink} into a sink"
    );
}

/// How often the threads that make the calls gave their core away by themselves.
fn measure(subscriber: &Dispatch) -> u64 {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| with_default(subscriber, log)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

fn log() -> u64 {
    let before = waits();
    sync_scope(SessionId::from(7), || {
        for number in 0..CALLS {
            if number % 2 == 0 {
                tracing::info!(number, "an item was put into the cart");
            } else {
                tracing::error!(number, "the payment was declined");
            }
        }
    });
    waits() - before
}

/// Of this thread, as Linux counts them.
fn waits() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}
