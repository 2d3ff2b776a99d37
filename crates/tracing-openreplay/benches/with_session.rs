//! Measures the time that `with_session()` adds to fmt.
//!
//! `cargo bench -p tracing-openreplay --bench with_session` prints the nanoseconds per event and
//! the ratio to fmt alone, as medians of interleaved rounds. `-- --quick` runs fewer rounds.

use std::{
    hint::black_box,
    io,
    time::{Duration, Instant},
};

use openreplay_session::{SessionId, sync_scope};
use tracing::{Dispatch, Subscriber, dispatcher, error, info, info_span};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Layer, Registry, fmt, prelude::*};

const SESSION: u64 = 4_950_498_349_085_463_837;
const WIDTH: usize = 48;

/// The name of a case, the session of the events, and that of a concurrent request.
const PLACES: [(&str, Option<u64>, Option<u64>); 3] = [
    ("in a session", Some(SESSION), None),
    ("outside", None, None),
    ("outside, others inside", None, Some(SESSION)),
];

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, events) = if quick { (5, 500) } else { (101, 2_000) };

    println!(
        "{:<WIDTH$}{:>10}{:>14}{:>8}",
        "ns an event", "fmt", "with_session", "ratio"
    );
    for (format, alone, wrapped) in formats() {
        for (place, session, elsewhere) in PLACES {
            // A span with a session, as concurrent requests have.
            let elsewhere = elsewhere.map(|id| {
                let span = || info_span!("request of another");
                sync_scope(SessionId::from(id), || {
                    dispatcher::with_default(&wrapped, span)
                })
            });
            for (event, run) in EVENTS {
                let run = || round(events, session, run);
                let mut pairs: Vec<_> = (0..rounds)
                    .map(|_| {
                        let alone = dispatcher::with_default(&alone, run);
                        let wrapped = dispatcher::with_default(&wrapped, run);
                        (alone, wrapped, ratio(wrapped, alone))
                    })
                    .collect();
                let name = format!("{format}, {event}, {place}");
                let alone =
                    median(&mut pairs, |pair| pair.0.as_secs_f64()) * 1e9 / f64::from(events);
                let wrapped =
                    median(&mut pairs, |pair| pair.1.as_secs_f64()) * 1e9 / f64::from(events);
                let ratio = median(&mut pairs, |pair| pair.2);
                println!("{name:<WIDTH$}{alone:>10.0}{wrapped:>14.0}{ratio:>8.2}");
            }
            drop(elsewhere);
        }
    }
}

type Case = (&'static str, fn());

/// An event with three fields in the innermost of three spans, and the smallest possible event.
const EVENTS: [Case; 3] = [
    ("3 fields, 3 spans", || {
        info!(status = black_box(200), path = black_box("/api/endpoint"), took = ?black_box(Duration::from_millis(3)), "request done");
    }),
    ("error", || {
        error!(
            status = black_box(500),
            path = black_box("/api/error"),
            "request failed"
        );
    }),
    ("no field", || info!("request done")),
];

fn formats() -> [(&'static str, Dispatch, Dispatch); 3] {
    fn pair<L: Layer<Registry> + Send + Sync>(layer: impl Fn() -> L) -> (Dispatch, Dispatch) {
        let wrapped = layer().with_session();
        (
            dispatch(Registry::default().with(layer())),
            dispatch(Registry::default().with(wrapped)),
        )
    }
    fn dispatch(subscriber: impl Subscriber + Send + Sync) -> Dispatch {
        Dispatch::new(subscriber)
    }
    let (full, full_wrapped) = pair(|| fmt::layer().with_ansi(false).with_writer(io::sink));
    let (compact, compact_wrapped) = pair(|| {
        let layer = fmt::layer().compact().with_ansi(false);
        layer.with_writer(io::sink)
    });
    let (json, json_wrapped) = pair(|| fmt::layer().json().with_writer(io::sink));
    [
        ("full", full, full_wrapped),
        ("compact", compact, compact_wrapped),
        ("json", json, json_wrapped),
    ]
}

fn round(events: u32, session: Option<u64>, event: fn()) -> Duration {
    sync_scope(session.map(SessionId::from), || {
        let _outer = info_span!("request", method = "GET", path = "/api/endpoint").entered();
        let _middle = info_span!("handler", user = 7).entered();
        let _inner = info_span!("query", table = "orders").entered();
        let start = Instant::now();
        for _ in 0..events {
            event();
        }
        start.elapsed()
    })
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn median<T>(of: &mut [T], key: impl Fn(&T) -> f64) -> f64 {
    of.sort_by(|a, b| key(a).total_cmp(&key(b)));
    key(&of[of.len() / 2])
}
