//! Delivery to a server that fails for a long time, with a clock that runs ahead instead of
//! waiting.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use openreplay_buffer::Topic;
use test_kit::scripted::{Reply, Request, Scripted};

use super::backoff::Delay;
use super::wire::{LENGTH, records};
use super::{Batch, Clock, Delivery, Ids, Observer, Piece, Target};
use crate::{Client, Connection};

mod faults;
mod histories;
mod requests;
mod slow;
mod world;

/// No delay takes time, but each is counted as if it had.
#[derive(Clone, Debug)]
struct SimulatedClock {
    start: Instant,
    millis: Arc<AtomicU64>,
    is_flushed: bool,
}

impl SimulatedClock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            millis: Arc::default(),
            is_flushed: false,
        }
    }

    /// A caller waits for the remaining records.
    fn flushed() -> Self {
        Self {
            is_flushed: true,
            ..Self::new()
        }
    }

    fn passed(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn pass(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        // a delay that is rounded to nothing would never end
        self.millis.fetch_add(millis + 1, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Instant {
        self.start + self.passed()
    }

    async fn sleep(&self, delay: Delay) {
        assert!(
            self.passed() < Duration::from_secs(24 * 60 * 60),
            "without end"
        );
        self.pass(if self.is_flushed {
            delay.at_least
        } else {
            delay.full
        });
    }

    fn is_flushing(&self) -> bool {
        self.is_flushed
    }
}

#[derive(Debug, Default)]
struct Reported {
    stored: RefCell<Vec<(u64, usize)>>,
    rejected: RefCell<Vec<String>>,
    reports: RefCell<Vec<(Topic, String)>>,
}

impl Reported {
    fn stored(&self) -> usize {
        self.stored
            .borrow()
            .iter()
            .map(|(_, records)| records)
            .sum()
    }

    fn reports_about(&self, topic: Topic) -> usize {
        let reports = self.reports.borrow();
        reports.iter().filter(|(about, _)| *about == topic).count()
    }
}

impl Observer for Reported {
    fn stored(&self, tag: u64, records: usize) {
        self.stored.borrow_mut().push((tag, records));
    }

    fn rejected(&self, _: u64, why: &str) {
        self.rejected.borrow_mut().push(why.to_owned());
    }

    fn report(&self, topic: Topic, text: &str) {
        self.reports.borrow_mut().push((topic, text.to_owned()));
    }
}

/// How many records are stored as an app wrote them, not in their minimal form.
fn whole(server: &Scripted) -> usize {
    let documents = server.documents();
    let whole = documents.iter();
    whole.filter(|one| one.get("number").is_some()).count()
}

/// A delivery to a server, and the source of its records.
struct Sender {
    clock: SimulatedClock,
    reported: Reported,
    delivery: Delivery,
    ids: Ids,
    written: usize,
}

impl Sender {
    fn new(server: &Scripted, clock: SimulatedClock, gzip: Option<u32>) -> Self {
        let connection = Connection::builder(server.url()).build().unwrap();
        let target = Target::new(Client::new(&connection).unwrap());
        Self {
            clock,
            reported: Reported::default(),
            delivery: Delivery::new(target, gzip),
            ids: Ids::new(1),
            written: 0,
        }
    }

    /// Records whose messages start with their number, and end with `text`.
    fn batch(&mut self, texts: &[&str]) -> Batch {
        let mut bytes = Vec::new();
        for text in texts {
            let line = format!(
                r#"{{"@timestamp":"2026-07-01T10:00:00.000000Z","level":"error","message":"{} {text}","number":1}}"#,
                self.written
            );
            self.ids.next().frame(&mut bytes, line.as_bytes());
            self.written += 1;
        }
        Batch::new(vec![Piece {
            bytes: bytes.into(),
            records: texts.len(),
            tag: 7,
        }])
    }

    async fn deliver(&mut self, texts: &[&str]) {
        let batch = self.batch(texts);
        self.delivery
            .deliver(batch, &self.reported, &self.clock)
            .await;
    }

    async fn finish(&mut self) {
        self.delivery.finish(&self.reported, &self.clock).await;
    }
}
