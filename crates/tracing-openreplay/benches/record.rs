//! Measures the time of a record, compared with other layers that write JSON, all to a sink.
//!
//! `cargo bench -p tracing-openreplay --bench record` prints medians of interleaved rounds. With
//! `--quick`, the rounds are too short for meaningful results.

use std::{error::Error, fmt, hint::black_box, io, time::Instant};

use openreplay_session::{SessionId, sync_scope};
use tracing::{Dispatch, dispatcher, error, info, info_span};
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_core::LevelFilter;
use tracing_ecs_formatter::EcsFormatter;
use tracing_openreplay::{Json, json};
use tracing_subscriber::{Layer, Registry, fmt as subscriber_fmt, prelude::*, registry};

const SESSION: &str = "4950498349085463837";

struct Subject {
    name: &'static str,
    dispatch: Dispatch,
    session: bool,
}

struct Scene {
    name: &'static str,
    /// Runs the measured code a number of times in a subscriber.
    run: fn(usize),
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, times) = if quick { (3, 50) } else { (501, 200) };
    let id: SessionId = SESSION.parse().expect("it is one");
    let subjects = subjects();
    for scene in scenes() {
        println!("\n{}", scene.name);
        let mut samples = vec![Vec::with_capacity(rounds); subjects.len()];
        for _ in 0..rounds {
            for (subject, samples) in subjects.iter().zip(&mut samples) {
                let session = subject.session.then_some(id);
                let run = || sync_scope(session, || measure(scene.run, times));
                samples.push(dispatcher::with_default(&subject.dispatch, run));
            }
        }
        let medians: Vec<f64> = samples.into_iter().map(median).collect();
        let of = |name: &str| {
            let at = subjects.iter().position(|subject| subject.name == name);
            medians[at.expect("there is such a subject")]
        };
        let (fmt, peer) = (of("fmt::layer().json()"), of("json-subscriber"));
        println!(
            "{:<44} {:>9} {:>8} {:>16}",
            "", "ns", "of fmt", "of json-subscriber"
        );
        for (subject, nanos) in subjects.iter().zip(&medians) {
            println!(
                "{:<44} {nanos:>9.0} {:>8.3} {:>16.3}",
                subject.name,
                nanos / fmt,
                nanos / peer
            );
        }
    }
}

fn subjects() -> Vec<Subject> {
    let ours = |json: Json| json.with_writer(io::sink);
    let fmt = || subscriber_fmt::layer().with_writer(io::sink);
    let ecs = fmt().event_format(EcsFormatter::new("bench", "1.0.0"));
    let bunyan = BunyanFormattingLayer::new("bench".to_owned(), io::sink);
    let outside = |name, dispatch| Subject {
        name,
        dispatch,
        session: false,
    };
    let in_session = |name, dispatch| Subject {
        name,
        dispatch,
        session: true,
    };
    vec![
        in_session("nothing", Dispatch::new(registry())),
        in_session(
            "json(), filtered out",
            with(ours(json()).with_filter(LevelFilter::OFF)),
        ),
        in_session(
            "json(), fields left out of the message",
            with(ours(json().with_fields_in_message(false))),
        ),
        in_session("json()", with(ours(json()))),
        outside("json(), no session", with(ours(json()))),
        outside("fmt::layer().json()", with(fmt().json())),
        outside(
            "json-subscriber",
            with(json_subscriber::fmt::layer().with_writer(io::sink)),
        ),
        outside("tracing-ecs-formatter", with(ecs)),
        outside(
            "tracing-bunyan-formatter",
            with(JsonStorageLayer.and_then(bunyan)),
        ),
        outside(
            "tracing-stackdriver",
            with(tracing_stackdriver::layer().with_writer(io::sink)),
        ),
    ]
}

fn with(layer: impl Layer<Registry> + Send + Sync) -> Dispatch {
    Dispatch::new(registry().with(layer))
}

fn scenes() -> Vec<Scene> {
    vec![
        Scene {
            name: "an event with three fields in a span of three",
            run: |times| {
                let span = info_span!(
                    "request",
                    method = "GET",
                    path = "/api/endpoint",
                    attempt = 1_u64
                );
                span.in_scope(|| repeat(times, event));
            },
        },
        Scene {
            name: "an event with three fields in no span",
            run: |times| repeat(times, event),
        },
        Scene {
            name: "the same in three spans of three",
            run: |times| {
                let _a = info_span!(
                    "connection",
                    peer = "127.0.0.1",
                    port = 8080_u64,
                    tls = true
                )
                .entered();
                let _b = info_span!(
                    "request",
                    method = "GET",
                    path = "/api/endpoint",
                    attempt = 1_u64
                )
                .entered();
                let _c =
                    info_span!("query", table = "users", rows = 12_u64, cached = false).entered();
                repeat(times, event);
            },
        },
        Scene {
            name: "an error with a cause, in a span of three",
            run: |times| {
                let span = info_span!(
                    "request",
                    method = "GET",
                    path = "/api/endpoint",
                    attempt = 1_u64
                );
                let failure = Failure(fmt::Error);
                span.in_scope(|| {
                    repeat(times, || {
                        error!(
                            error = &failure as &dyn Error,
                            retry = false,
                            "Error: no answer"
                        );
                    });
                });
            },
        },
        Scene {
            name: "a span of three, opened and closed",
            run: |times| {
                repeat(times, || {
                    black_box(info_span!(
                        "request",
                        method = "GET",
                        path = "/api/endpoint",
                        attempt = 1_u64
                    ));
                });
            },
        },
    ]
}

fn event() {
    info!(
        user = black_box("anna"),
        status = black_box(200_u64),
        cached = black_box(true),
        "Endpoint accessed"
    );
}

fn repeat(times: usize, f: impl Fn()) {
    for _ in 0..times {
        f();
    }
}

/// Returns the nanoseconds per run.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn measure(run: fn(usize), times: usize) -> f64 {
    let start = Instant::now();
    run(times);
    start.elapsed().as_nanos() as f64 / times as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

#[derive(Debug)]
struct Failure(fmt::Error);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the far end hung up")
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
