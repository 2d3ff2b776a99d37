//! What is said on standard error, read by running this program once more for each case.

mod support;

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing::{error, info};
use tracing_openreplay::json;
use tracing_subscriber::prelude::*;

use crate::support::{alone, said};

/// Does with the nth call what the nth letter says: `o` is fine, `t` takes ten bytes and fails, `p` panics, `l` logs.
#[derive(Clone)]
struct Writer {
    plan: &'static str,
    calls: Arc<AtomicUsize>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Writer {
    fn new(plan: &'static str) -> Self {
        Self {
            plan,
            calls: Arc::default(),
            written: Arc::default(),
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut taken = bytes.len();
        match self.plan.as_bytes()[call] {
            b'p' => panic!("the writer's own"),
            b'f' => return Err(io::ErrorKind::BrokenPipe.into()),
            b't' => taken = 10,
            b'l' => info!("of the writer"),
            _ => {}
        }
        let taken = &bytes[..taken];
        self.written.lock().unwrap().extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_record_after_half_a_record_has_a_line_of_its_own() {
    let writer = Writer::new("otfoo");
    let to = writer.clone();
    let layer = json().with_writer(move || to.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for text in ["first", "torn", "next", "last"] {
            info!("{text}");
        }
    });
    let text = writer.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[1].len(), 10);
    for (line, message) in [(0, "first"), (2, "next"), (3, "last")] {
        let record: serde_json::Value = serde_json::from_str(lines[line]).unwrap();
        assert_eq!(record["message"], message);
    }
}

#[test]
fn each_reason_of_a_loss_has_a_count_of_its_own() {
    let run = || {
        let writer = Writer::new("fffplo");
        let layer = json().with_writer(move || writer.clone());
        // only under a subscriber of the whole process does a log call inside of another one get through
        tracing_subscriber::registry().with(layer).init();
        for _ in 0..6 {
            info!("x");
        }
    };
    let Some((_, err)) = alone("each_reason_of_a_loss_has_a_count_of_its_own", run) else {
        return;
    };
    assert_eq!(
        said(&err),
        [
            "tracing-openreplay: lost 1 record(s): the writer failed: broken pipe",
            "tracing-openreplay: lost 1 record(s): the writer panicked",
            "tracing-openreplay: lost 1 record(s): the writer itself logs",
        ]
    );
}

#[test]
fn what_was_not_said_is_said_in_the_end() {
    let run = || {
        let writer = Writer::new("fffpppo");
        let layer = json().with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for _ in 0..7 {
                info!("x");
            }
        });
    };
    let Some((_, err)) = alone("what_was_not_said_is_said_in_the_end", run) else {
        return;
    };
    assert_eq!(
        said(&err)[2..],
        [
            "tracing-openreplay: lost 2 record(s): the writer failed",
            "tracing-openreplay: lost 2 record(s): the writer panicked",
        ]
    );
}

#[test]
fn a_clock_that_panics_costs_no_record() {
    let writer = Writer::new("o");
    let to = writer.clone();
    let layer = json()
        .with_clock(|| panic!("the clock's own"))
        .with_writer(move || to.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        error!("x");
    });
    assert!(writer.text().contains(r#""message":"x""#));
}
