//! `with_session()` with the real fmt layer.

mod allocations;
mod filters;
mod formats;
mod hostile;
mod log_records;
mod properties;
mod sessions;
mod span_events;
mod values;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;
use tracing::{Subscriber, subscriber::with_default};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Layer, Registry, fmt, fmt::MakeWriter, prelude::*};

/// The writer of the layers under test.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn records(&self) -> Vec<Value> {
        let text = self.text();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Creates a fmt layer whose lines are the same in every run.
fn text<S>(sink: &Sink) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fmt::layer()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_writer(sink.clone())
}

fn json<S>(sink: &Sink) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fmt::layer()
        .json()
        .without_time()
        .with_target(false)
        .with_writer(sink.clone())
}

/// Returns the output of `run` in fmt's text format with `with_session()`.
fn written(run: impl FnOnce()) -> String {
    let sink = Sink::default();
    with_default(Registry::default().with(text(&sink).with_session()), run);
    sink.text()
}

/// Returns the `fields` of the output of `run` in fmt's JSON with `with_session()`.
fn fields(run: impl FnOnce()) -> Vec<Value> {
    let sink = Sink::default();
    with_default(Registry::default().with(json(&sink).with_session()), run);
    sink.records()
        .into_iter()
        .map(|mut record| record["fields"].take())
        .collect()
}

fn in_session<R>(id: u64, run: impl FnOnce() -> R) -> R {
    sync_scope(SessionId::from(id), run)
}
