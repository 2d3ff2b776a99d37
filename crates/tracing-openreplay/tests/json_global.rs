//! Log calls inside other log calls. These tests set the global subscriber, because `tracing` drops
//! such events with a scoped one.

use std::{
    fmt,
    io::{self, Write},
    sync::{Mutex, MutexGuard},
};

use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;
use tracing::{info, info_span};
use tracing_openreplay::{json, log_panics};
use tracing_subscriber::prelude::*;

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Runs one test at a time, since the tests share the output.
static TURN: Mutex<()> = Mutex::new(());

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.lock().unwrap().extend_from_slice(bytes);
        if bytes.windows(12).any(|part| part == b"makes a call") {
            info!("from inside of the writer");
            info!("this one makes a call, too");
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn installed() -> MutexGuard<'static, ()> {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    ONCE.call_once(|| {
        tracing_subscriber::registry()
            .with(json().with_writer(|| Writer))
            .init();
    });
    WRITTEN.lock().unwrap().clear();
    turn
}

fn records() -> Vec<Value> {
    let written = String::from_utf8(WRITTEN.lock().unwrap().clone()).unwrap();
    written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn messages() -> Vec<String> {
    records()
        .iter()
        .map(|record| record["message"].as_str().unwrap().to_owned())
        .collect()
}

/// A value that logs while it is written.
struct Logs(&'static str);

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("be")?;
        info_span!("inside", of = self.0).in_scope(|| info!(inner = 1, "inside of {}", self.0));
        f.write_str("tween")
    }
}

#[test]
fn a_debug_that_logs_affects_neither_record() {
    let _turn = installed();
    sync_scope(SessionId::from(7), || {
        let span = info_span!("request", early = ?Logs("a new span"), late = tracing::field::Empty);
        span.record("late", tracing::field::debug(Logs("a span's field")));
        span.in_scope(|| info!(field = ?Logs("a field"), "message {:?}", Logs("a message")));
    });
    assert_eq!(
        messages(),
        [
            "[openReplaySession.id=7] inside of a new span inner=1",
            "[openReplaySession.id=7] inside of a span's field inner=1",
            "[openReplaySession.id=7] inside of a message inner=1",
            "[openReplaySession.id=7] inside of a field inner=1",
            "[openReplaySession.id=7] message between field=between",
        ]
    );
    let last = &records()[4];
    assert_eq!(last["fields"], serde_json::json!({"field": "between"}));
    assert_eq!(
        last["spans"][0]["fields"],
        serde_json::json!({"early": "between", "late": "between"})
    );
}

#[test]
fn a_writer_that_logs_does_not_recurse() {
    let _turn = installed();
    info!("makes a call");
    info!("next");
    assert_eq!(messages(), ["makes a call", "next"]);
}

#[test]
fn a_panic_is_one_error_record_with_its_location_and_session() {
    let _turn = installed();
    log_panics();
    log_panics();
    let line = line!() + 3;
    let caught = std::panic::catch_unwind(|| {
        sync_scope(SessionId::from(7), || {
            panic!("out of {}\nagain", "stock");
        });
    });
    assert!(caught.is_err());
    std::panic::catch_unwind(|| std::panic::panic_any("a str")).unwrap_err();
    std::panic::catch_unwind(|| std::panic::panic_any(7)).unwrap_err();

    let records = records();
    assert_eq!(records.len(), 3, "{records:?}");
    let record = &records[0];
    assert_eq!(record["level"], "error");
    assert_eq!(record["tags"], serde_json::json!(["error"]));
    assert_eq!(record["openReplaySession.id"], "7");
    assert_eq!(record["log.logger"], "panic");
    assert_eq!(record["log.origin.file.name"], file!());
    assert_eq!(record["log.origin.file.line"], line);
    let message = record["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!(
            "[openReplaySession.id=7] panicked at {}:{line}:",
            file!()
        )),
        "{message}"
    );
    assert!(message.ends_with(": out of stock\nagain"), "{message}");
    assert!(records[1]["message"].as_str().unwrap().ends_with(": a str"));
    assert!(
        records[2]["message"]
            .as_str()
            .unwrap()
            .ends_with(": a value that is not a string")
    );
}

#[test]
fn a_panic_in_a_debug_loses_no_record_and_has_its_own() {
    struct Bomb;

    impl fmt::Debug for Bomb {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("boom");
        }
    }

    let _turn = installed();
    log_panics();
    info!(bomb = ?Bomb, after = 1, "text");
    let messages = messages();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].ends_with(": boom"), "{messages:?}");
    assert_eq!(
        messages[1],
        "text bomb=… [panicked while being written] after=1"
    );
}
