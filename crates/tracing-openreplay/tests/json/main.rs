//! The records that `json()` writes.

mod all_options;
mod any_event;
mod extra;
mod fields;
mod limits;
mod record;
mod session;
mod with_session;
mod writer;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use test_kit::Lines;
use tracing_openreplay::{Json, json};
use tracing_subscriber::{Registry, prelude::*};

pub(crate) const ID: u64 = 4_950_498_349_085_463_837;

/// Returns the records of `run`, written by a layer with a fixed clock.
pub(crate) fn capture(layer: Json, run: impl FnOnce()) -> Vec<Value> {
    let written = Lines::default();
    let layer = layer.with_clock(clock).with_writer(written.clone());
    tracing::subscriber::with_default(Registry::default().with(layer), run);
    written.records()
}

/// Returns the only record of `run`.
pub(crate) fn one(run: impl FnOnce()) -> Value {
    let mut records = capture(json(), run);
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

pub(crate) fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(1_753_187_696_789_012)
}
