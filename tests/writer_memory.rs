//! The memory that the writer takes while a slow server holds it up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, thread};

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
    let server = StandIn::start();
    server.forget();
    let (writer, guard) = ElasticWriter::builder(server.url())
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
    server.set_down(true);
    let mut fill = 0..2 * BUFFER / line.len();
    let (most, flushed) = most_resident(|| {
        while writer.stats().dropped == 0 && fill.next().is_some() {
            writer.write_line(line.as_bytes());
        }
        server.set_down(false);
        for number in 0..records {
            if number % 10_000 == 0 {
                server.inject([Fault::Stall(Duration::from_millis(20))]);
            }
            writer.write_line(line.as_bytes());
        }
        guard.flush(Duration::from_secs(120))
    });
    assert!(flushed.is_complete(), "{flushed:?}");
    let stats = writer.stats();
    assert_eq!(stats.accepted, stats.indexed + stats.dropped, "{stats:?}");
    let grown = most.saturating_sub(before);
    println!(
        "{records} records, {} dropped: grown by {} KiB at most",
        stats.dropped,
        grown / 1024
    );
    // else the bound was not put to the test
    assert!(stats.dropped > 0, "{stats:?}");
    assert!(grown > BUFFER / 2, "grown by {grown} bytes");
    // the server lives in this process as well, and holds a request or two
    assert!(grown < BUFFER + 16 * 1024 * 1024, "grown by {grown} bytes");
}

/// What this process has resident at most, while something is done.
fn most_resident<T>(act: impl FnOnce() -> T) -> (usize, T) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut most = 0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(resident());
                thread::sleep(Duration::from_millis(1));
            }
            most
        });
        let done = act();
        is_over.store(true, Ordering::Relaxed);
        (watching.join().unwrap(), done)
    })
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
