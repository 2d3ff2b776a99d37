//! A slow line, in simulated time: how much of it carries records that are stored, and from when
//! on.

use bytes::Bytes;

use super::*;
use crate::bulk::wire::{NoResponse, Presence, QueryError, Response, Wire};

const TIMEOUT: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);
const KIB: usize = 1024;

/// A line and what is behind it, for which time passes as the bytes do.
#[derive(Debug)]
struct Line {
    clock: SimulatedClock,
    bytes_per_second: usize,
    /// How long each request takes, however short.
    latency: Duration,
    /// Longer requests get no response.
    longest: usize,
    /// The length of each record.
    record: usize,
    stored: Stored,
}

/// When the first request was stored, and how many bytes were stored in each minute.
type Stored = std::rc::Rc<RefCell<(Option<Duration>, Vec<usize>)>>;

impl Wire for Line {
    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    async fn send(&mut self, _: Option<&str>, body: Vec<Bytes>) -> Response {
        let bytes: usize = body.iter().map(Bytes::len).sum();
        let seconds = bytes as f64 / self.bytes_per_second as f64;
        let time = self.latency + Duration::from_secs_f64(seconds);
        if time > TIMEOUT || bytes > self.longest {
            self.clock.pass(TIMEOUT);
            return Response::None {
                kind: NoResponse::TimedOut,
                why: String::new(),
            };
        }
        self.clock.pass(time);
        let (first, minutes) = &mut *self.stored.borrow_mut();
        first.get_or_insert(self.clock.passed());
        let minute = usize::try_from(self.clock.passed().as_secs() / 60).unwrap();
        minutes.resize(minute + 1, 0);
        minutes[minute] += bytes;
        let records = bytes / self.record;
        let items = vec![r#"{"create":{"_index":"logs-000001","status":201}}"#; records];
        Response::Body(format!("{{\"items\":[{}]}}", items.join(",")).into())
    }

    async fn write_index(&self) -> Result<String, QueryError> {
        Ok("logs-000001".to_owned())
    }

    async fn has_index(&self, _: &str) -> Result<bool, QueryError> {
        Ok(true)
    }

    async fn holds(&self, _: &str, _: &str) -> Result<Presence, QueryError> {
        Ok(Presence::Absent)
    }
}

/// Sends for so many minutes, in batches of this length. Returns when the first request was stored,
/// and the bytes of each minute.
async fn send(mut line: Line, batch: usize, minutes: usize) -> (Duration, Vec<usize>) {
    let (clock, stored) = (line.clock.clone(), std::rc::Rc::clone(&line.stored));
    let mut bytes = Vec::new();
    let mut ids = Ids::new(1);
    let text = format!("{{\"message\":\"{}\"}}", "x".repeat(4_000));
    let mut number = 0;
    while bytes.len() < batch {
        ids.next().frame(&mut bytes, text.as_bytes());
        number += 1;
    }
    line.record = bytes.len() / number;
    let bytes = Bytes::from(bytes);
    let mut delivery = Delivery::over(line);
    let reported = Reported::default();
    let end = MINUTE * u32::try_from(minutes).unwrap();
    while clock.passed() < end {
        let piece = Piece {
            bytes: bytes.clone(),
            records: number,
            tag: 0,
        };
        delivery
            .deliver(Batch::new(vec![piece]), &reported, &clock)
            .await;
    }
    let (first, mut each) = stored.take();
    each.truncate(minutes);
    (first.unwrap(), each)
}

fn line(bytes_per_second: usize) -> Line {
    Line {
        clock: SimulatedClock::new(),
        bytes_per_second,
        latency: Duration::from_millis(20),
        longest: usize::MAX,
        record: 0,
        stored: Stored::default(),
    }
}

#[tokio::test]
async fn a_slow_line_is_filled_with_what_is_stored_after_the_first_minute() {
    for kib in [35, 100, 200, 500] {
        for batch in [1 << 20, 8 << 20] {
            let (first, minutes) = send(line(kib * KIB), batch, 15).await;
            if kib >= 200 {
                assert!(first < Duration::from_secs(10), "{kib} KiB/s: {first:?}");
            }
            let stored: usize = minutes[1..].iter().sum();
            let carried = kib * KIB * 60 * (minutes.len() - 1);
            let goodput = stored as f64 / carried as f64;
            assert!(goodput >= 0.95, "{kib} KiB/s: {goodput}");
        }
    }
}

#[tokio::test]
async fn a_line_that_is_too_slow_for_the_first_request_is_filled_in_the_end() {
    for kib in [1, 4, 16] {
        let (_, minutes) = send(line(kib * KIB), 8 << 20, 60).await;
        let stored: usize = minutes[20..].iter().sum();
        let goodput = stored as f64 / (kib * KIB * 60 * (minutes.len() - 20)) as f64;
        assert!(goodput >= 0.8, "{kib} KiB/s: {goodput}");
    }
}

/// Such as behind a firewall that holds back long requests, or an engine that takes too long for
/// them.
#[tokio::test]
async fn a_length_that_gets_no_response_is_seldom_tried_again() {
    let silent = Line {
        longest: 3 << 20,
        ..line(1_000 * KIB)
    };
    let (_, minutes) = send(silent, 8 << 20, 30).await;
    let stored: usize = minutes[1..].iter().sum();
    let goodput = stored as f64 / (1_000 * KIB * 60 * (minutes.len() - 1)) as f64;
    assert!(goodput >= 0.8, "{goodput}");
}

#[tokio::test]
async fn an_engine_that_takes_long_for_any_request_gets_large_ones() {
    let busy = Line {
        latency: Duration::from_secs(5),
        ..line(10_000 * KIB)
    };
    let (_, minutes) = send(busy, 8 << 20, 4).await;
    let most: usize = *minutes.iter().max().unwrap();
    assert!(most >= 60 / 6 * (8 << 20), "{minutes:?}");
}
