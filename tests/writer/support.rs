use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use openreplay_elastic::{ElasticWriter, ElasticWriterBuilder, Stats};
use serde_json::{Value, json};

/// Longer than any test takes that passes.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Sends soon, so that a test need not wait.
pub(crate) fn quick(url: &str) -> ElasticWriterBuilder {
    ElasticWriter::builder(url).flush_interval(Duration::from_millis(20))
}

pub(crate) fn record(number: usize, level: &str) -> String {
    json!({
        "@timestamp": "2026-07-01T10:00:00.000000Z", "utc_time": "2026-07-01T10:00:00.000000Z",
        "level": level, "message": format!("[openReplaySession.id=7] record {number}"),
        "openReplaySession.id": "7", "number": number,
    })
    .to_string()
}

pub(crate) fn write(writer: &ElasticWriter, numbers: std::ops::Range<usize>) {
    for number in numbers {
        writer.write_line(record(number, "info").as_bytes());
    }
}

#[track_caller]
pub(crate) fn assert_balance(stats: Stats) {
    assert_eq!(
        stats.accepted,
        stats.indexed + stats.rejected + stats.dropped + stats.queued,
        "{stats:?}"
    );
}

/// Looks at the books all the while, until it is told to stop.
pub(crate) fn watch(writer: &ElasticWriter) -> Watch {
    let writer = writer.clone();
    let is_over = Arc::new(AtomicBool::new(false));
    let its = Arc::clone(&is_over);
    let thread = thread::spawn(move || {
        while !its.load(Ordering::Relaxed) {
            assert_balance(writer.stats());
            thread::sleep(Duration::from_micros(200));
        }
    });
    Watch { is_over, thread }
}

pub(crate) struct Watch {
    is_over: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Watch {
    /// The books balanced at every look.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        assert!(self.thread.join().is_ok(), "the accounts did not balance");
    }
}

/// Seeds that differ from run to run, printed so that a failure can be repeated with `SEED`.
pub(crate) fn seeds(count: usize) -> Vec<u64> {
    let seeds = match std::env::var("SEED") {
        Ok(seed) => vec![seed.parse().expect("SEED is a number")],
        Err(_) => (0..count).map(|_| fastrand::u64(..1_000_000)).collect(),
    };
    println!("seeds {seeds:?}; repeat one with SEED=…");
    seeds
}

/// Each of these records is there, and once.
#[track_caller]
pub(crate) fn assert_once(documents: &[Value], numbers: std::ops::Range<usize>) {
    let mut counts = HashMap::new();
    for document in documents {
        if let Some(number) = document["number"].as_u64() {
            *counts.entry(usize::try_from(number).unwrap()).or_insert(0) += 1;
        }
    }
    let wrong: Vec<_> = numbers
        .clone()
        .map(|number| (number, counts.get(&number).copied().unwrap_or(0)))
        .filter(|(_, count)| *count != 1)
        .take(20)
        .collect();
    assert_eq!(
        wrong,
        [],
        "records that are missing or there more than once (number, count)"
    );
    assert_eq!(counts.len(), numbers.len(), "records that nobody wrote");
}

/// What began then ended on its own: it waits for a server that responds to nothing for longer.
#[track_caller]
pub(crate) fn assert_gave_up(started: Instant) {
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}

#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "still not so: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The writer's diagnostics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports(Arc<Mutex<Vec<String>>>);

impl Reports {
    pub(crate) fn listen(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let reports = Arc::clone(&self.0);
        move |text| reports.lock().unwrap().push(text.to_owned())
    }

    pub(crate) fn all(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        wait_until(text, || self.all().contains(text));
    }
}
