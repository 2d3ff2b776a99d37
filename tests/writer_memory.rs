//! The memory that the writer takes while a slow far end holds it up.

use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use integration_tests::{Fault, StandIn};
use openreplay_elastic::ElasticWriter;

const BUFFER: usize = 32 * 1024 * 1024;

/// Both measure this process.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn five_hundred_thousand_records_stay_within_the_bound() {
    stays_within_the_bound(500_000);
}

#[test]
#[ignore = "needs a minute: the same with five million records"]
fn five_million_records_stay_within_the_bound() {
    stays_within_the_bound(5_000_000);
}

fn stays_within_the_bound(records: usize) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let far_end = StandIn::start();
    far_end.forget();
    let (writer, guard) = ElasticWriter::builder(far_end.url())
        .buffer_bytes(BUFFER)
        .on_diagnostic(|_| {})
        .build()
        .unwrap();
    let line = format!(
        r#"{{"level":"info","message":"{}"}}{}"#,
        "x".repeat(370),
        "\n"
    );
    let before = resident();
    let mut most = 0;
    for number in 0..records {
        if number % 10_000 == 0 {
            far_end.inject([Fault::Stall(Duration::from_millis(20))]);
            most = most.max(resident());
        }
        writer.write_line(line.as_bytes());
    }
    let _ = guard.flush(Duration::from_secs(60));
    let stats = writer.stats();
    assert_eq!(
        stats.accepted,
        stats.indexed + stats.refused + stats.dropped + stats.queued
    );
    let grown = most.saturating_sub(before);
    println!(
        "{records} records, {} dropped: grown by {} KiB at most",
        stats.dropped,
        grown / 1024
    );
    // the far end lives in this process too, and holds a request or two
    assert!(grown < BUFFER + 16 * 1024 * 1024, "grown by {grown} bytes");
}

/// Resident memory of this process, as Linux counts it.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("a line of it");
    let kilobytes: usize = line
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number");
    kilobytes * 1024
}
