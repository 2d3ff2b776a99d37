//! What is said on standard error, read by running this program once more for each case.

use std::{
    env,
    io::{self, Write},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tracing::{error, info};
use tracing_openreplay::{json, log_panics, log_panics_as};
use tracing_subscriber::{filter::Targets, prelude::*};

const CHILD: &str = "TRACING_OPENREPLAY_CHILD";

/// What `run` writes on standard output and standard error in a process of its own: `test` is the test that calls.
fn alone(test: &str, run: impl FnOnce()) -> Option<(String, String)> {
    if env::var_os(CHILD).is_some() {
        run();
        return None;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    let child = child
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let [out, err] = [child.stdout, child.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(child.status.success(), "{out}{err}");
    Some((out, err))
}

fn said(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines();
    lines
        .filter(|line| line.starts_with("tracing-openreplay: "))
        .collect()
}

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

/// Under a filter of these targets only.
fn panics_under(targets: &[&'static str], install: fn()) {
    let targets = targets.iter().map(|target| (*target, tracing::Level::WARN));
    tracing_subscriber::registry()
        .with(json())
        .with(Targets::new().with_targets(targets))
        .init();
    install();
    std::panic::catch_unwind(|| panic!("out of stock")).unwrap_err();
}

/// The loggers of the records of panics.
fn loggers(out: &str) -> Vec<String> {
    let records = out
        .lines()
        .filter_map(|line| line.find('{').map(|at| &line[at..]));
    let records = records.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    records
        .inspect(|record| {
            let message = record["message"].as_str().unwrap();
            assert!(message.ends_with("out of stock"));
        })
        .map(|record| record["log.logger"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_filter_that_names_the_program_lets_its_panics_through() {
    let run = || panics_under(&["json_stderr", "tower_http"], log_panics);
    let test = "a_filter_that_names_the_program_lets_its_panics_through";
    let Some((out, err)) = alone(test, run) else {
        return;
    };
    let loggers = loggers(&out);
    assert_eq!(loggers.len(), 1, "{out}{err}");
    assert!(loggers[0].starts_with("json_stderr"), "{loggers:?}");
    assert_eq!(said(&err), [""; 0]);
}

#[test]
fn the_target_of_panics_can_be_chosen() {
    let run = || panics_under(&["shop"], || log_panics_as("shop::panics"));
    let Some((out, err)) = alone("the_target_of_panics_can_be_chosen", run) else {
        return;
    };
    assert_eq!(loggers(&out), ["shop::panics"], "{out}{err}");
    assert_eq!(said(&err), [""; 0]);
}

#[test]
fn a_panic_that_a_filter_refuses_is_said_to_have_no_record() {
    let run = || panics_under(&["tower_http"], log_panics);
    let test = "a_panic_that_a_filter_refuses_is_said_to_have_no_record";
    let Some((out, err)) = alone(test, run) else {
        return;
    };
    assert_eq!(loggers(&out), [""; 0], "{out}");
    let said = said(&err);
    assert_eq!(said.len(), 1, "{err}");
    let place = "tracing-openreplay: no record of the panic at ";
    assert!(said[0].starts_with(place), "{err}");
    assert!(
        said[0].ends_with(": the filters refuse it (see `log_panics`)"),
        "{err}"
    );
    assert!(err.contains("out of stock"), "the hook from before: {err}");
}
