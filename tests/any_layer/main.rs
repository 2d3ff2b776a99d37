//! `with_session()` over common layers: what they write or send in the end.

mod forms;
mod json;
mod opentelemetry;
mod sentry;
mod trace;

use std::{
    error::Error,
    fmt, io,
    sync::{Mutex, PoisonError},
};

use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;
use tracing::{error, info, subscriber::with_default, warn};
use tracing_subscriber::{Layer, Registry, prelude::*};

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// What a layer makes of an event in the end.
#[derive(Debug, PartialEq)]
struct Seen {
    message: String,
    fields: Value,
}

fn seen(message: &str, fields: Value) -> Seen {
    Seen {
        message: message.to_owned(),
        fields,
    }
}

/// What a request does in these tests.
fn request() {
    sync_scope(SessionId::from(42), || {
        info!(items = 3, paid = false, "cart opened");
        warn!(path = "/cart", "slow");
        error!(code = -7, "out of stock");
        library();
    });
    warn!("no session");
}

/// A library that knows `log` only, and not through the process-wide logger.
fn library() {
    let message = format_args!("lost");
    let record = log::Record::builder()
        .level(log::Level::Error)
        .target("library")
        .line(Some(7))
        .args(message)
        .build();
    tracing_log::format_trace(&record).unwrap();
}

/// One test at a time: what a call site is enabled for is kept for the whole process, and while
/// another thread's subscriber comes or goes with filters of its own, `tracing` can pass over an
/// event.
static TURN: Mutex<()> = Mutex::new(());

fn in_turn(run: impl FnOnce()) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    run();
}

fn with_layer(layer: impl Layer<Registry> + Send + Sync, run: impl FnOnce()) {
    in_turn(|| with_default(Registry::default().with(layer), run));
}

/// An error with a cause.
#[derive(Debug)]
struct CannotSave(io::Error);

impl CannotSave {
    fn new() -> Self {
        Self(io::Error::other("disk is full"))
    }
}

impl fmt::Display for CannotSave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot save")
    }
}

impl Error for CannotSave {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
