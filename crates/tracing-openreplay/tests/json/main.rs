//! What `json()` writes.

mod any_event;
mod extra;
mod fields;
mod limits;
mod record;
mod session;
mod strict;
mod with_session;
mod writer;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tracing_openreplay::{Json, json};
use tracing_subscriber::{Registry, prelude::*};

pub(crate) const ID: u64 = 4_950_498_349_085_463_837;

/// Holds what was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The records, each of which has to be one JSON object on a line of its own, without a key that comes twice.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        text.lines().map(strict::object).collect()
    }
}

/// The records of what happens in `run`, by a layer under a fixed clock.
pub(crate) fn capture(layer: Json, run: impl FnOnce()) -> Vec<Value> {
    let written = Written::default();
    let writer = written.clone();
    let layer = layer.with_clock(clock).with_writer(move || writer.clone());
    tracing::subscriber::with_default(Registry::default().with(layer), run);
    written.records()
}

/// The only record of what happens in `run`.
pub(crate) fn one(run: impl FnOnce()) -> Value {
    let mut records = capture(json(), run);
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

pub(crate) fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(1_753_187_696_789_012)
}
