//! Reports on standard error. Each test runs in a separate process, whose output it reads.

mod support;

use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tracing::{error, info};
use tracing_openreplay::json;
use tracing_subscriber::prelude::*;

use crate::support::{alone, diagnostics, records};

/// A writer whose nth call does what the nth letter stands for: `o` succeeds, `t` writes ten bytes
/// and fails, `p` panics, `l` logs.
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
fn a_record_after_an_incomplete_record_is_on_a_separate_line() {
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
fn each_reason_for_a_loss_has_its_own_count() {
    let run = || {
        let writer = Writer::new("fffplo");
        let layer = json().with_writer(move || writer.clone());
        // `tracing` drops log calls inside other log calls unless the subscriber is global.
        tracing_subscriber::registry().with(layer).init();
        for _ in 0..6 {
            info!("x");
        }
    };
    let Some((_, err)) = alone("each_reason_for_a_loss_has_its_own_count", run) else {
        return;
    };
    assert_eq!(
        diagnostics(&err),
        [
            "tracing-openreplay: lost 1 record: the writer failed: broken pipe; more are counted and reported every 10 s",
            "tracing-openreplay: lost 1 record: the writer panicked; more are counted and reported every 10 s",
            "tracing-openreplay: lost 1 record: the writer itself logs; more are counted and reported every 10 s",
        ]
    );
}

#[test]
fn unreported_losses_are_reported_at_the_end() {
    let run = || {
        let writer = Writer::new("fffpppo");
        let layer = json().with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for _ in 0..7 {
                info!("x");
            }
        });
    };
    let Some((_, err)) = alone("unreported_losses_are_reported_at_the_end", run) else {
        return;
    };
    assert_eq!(
        diagnostics(&err)[2..],
        [
            "tracing-openreplay: lost 2 records: the writer failed",
            "tracing-openreplay: lost 2 records: the writer panicked",
        ]
    );
}

#[test]
fn a_clock_that_panics_loses_no_record() {
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

#[test]
fn remaining_losses_are_reported_within_seconds_although_no_further_record_is_written() {
    let test = "remaining_losses_are_reported_within_seconds_although_no_further_record_is_written";
    let run = || {
        let layer = json().with_writer(|| Writer::new("f"));
        let losses = layer.losses();
        tracing_subscriber::registry().with(layer).init();
        for _ in 0..3000 {
            info!("x");
        }
        assert_eq!(losses.total(), 3000);
        // A global subscriber is never dropped.
        thread::sleep(Duration::from_secs(12));
    };
    let Some((_, err)) = alone(test, run) else {
        return;
    };
    assert_eq!(
        diagnostics(&err),
        [
            "tracing-openreplay: lost 1 record: the writer failed: broken pipe; more are counted and reported every 10 s",
            "tracing-openreplay: lost 2999 records: the writer failed",
        ]
    );
}

#[test]
fn the_total_counts_every_reason() {
    let run = || {
        let writer = Writer::new("ffplofo");
        let layer = json().with_writer(move || writer.clone());
        let losses = layer.losses();
        assert_eq!(losses.total(), 0);
        tracing_subscriber::registry().with(layer).init();
        for _ in 0..7 {
            info!("x");
        }
        // Two writes failed, one panicked, one record was logged by the writer, and one write
        // failed.
        assert_eq!(losses.total(), 5);
    };
    alone("the_total_counts_every_reason", run);
}

#[cfg(target_os = "linux")]
fn make_standard_output_non_blocking() {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    let out = io::stdout();
    let flags = fcntl_getfl(&out).unwrap();
    fcntl_setfl(&out, flags | OFlags::NONBLOCK).unwrap();
}

/// Starts a program whose outputs this one reads.
#[cfg(target_os = "linux")]
fn spawn_with_pipes(command: &mut std::process::Command) -> std::process::Child {
    use std::process::Stdio;

    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// On Linux, the flag belongs to the pipe, so this is the same as if another process had set it.
#[cfg(target_os = "linux")]
#[test]
fn a_record_waits_for_a_standard_output_that_would_block() {
    use std::io::Read as _;

    let test = "a_record_waits_for_a_standard_output_that_would_block";
    let run = || {
        make_standard_output_non_blocking();
        let layer = json();
        let losses = layer.losses();
        tracing_subscriber::registry().with(layer).init();
        let long = "x".repeat(1000);
        for number in 0..3000 {
            info!(number, "{long}");
        }
        assert_eq!(losses.total(), 0);
    };
    let Some(mut command) = support::command(test, run) else {
        return;
    };
    let mut child = spawn_with_pipes(&mut command);
    // By now, the pipe is full.
    thread::sleep(Duration::from_millis(200));
    let mut out = String::new();
    let mut reader = child.stdout.take().unwrap();
    reader.read_to_string(&mut out).unwrap();
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{err}");
    assert_eq!(diagnostics(&err), [""; 0]);
    let numbers = records(&out);
    let numbers = numbers.iter().map(|record| &record["fields"]["number"]);
    assert!(numbers.eq(&(0..3000).map(serde_json::Value::from).collect::<Vec<_>>()));
}

/// The standard library keeps the end of a line that was written in part.
#[cfg(target_os = "linux")]
#[test]
fn a_record_is_written_to_its_end_at_once() {
    use std::{
        fs::File,
        io::{BufRead as _, BufReader, Read as _},
        process,
    };

    use rustix::fs::{Mode, OFlags};

    /// Fills the pipe, then makes room for 4 KiB.
    fn fill() {
        let flags = OFlags::RDWR | OFlags::NONBLOCK;
        let pipe = rustix::fs::open("/proc/self/fd/1", flags, Mode::empty()).unwrap();
        let mut pipe = File::from(pipe);
        for chunk in [vec![b'\n'; 4096], vec![b'\n'; 1]] {
            while pipe.write(&chunk).is_ok() {}
        }
        pipe.read_exact(&mut [0; 4096]).unwrap();
    }

    let test = "a_record_is_written_to_its_end_at_once";
    let run = || {
        make_standard_output_non_blocking();
        tracing_subscriber::registry().with(json()).init();
        fill();
        eprintln!("full");
        info!("{}", "x".repeat(4400));
        process::abort();
    };
    let Some(mut command) = support::command(test, run) else {
        return;
    };
    let mut child = spawn_with_pipes(&mut command);
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = stderr.lines().map(Result::unwrap);
    lines.find(|line| line.ends_with("full")).unwrap();
    // The record needs more room than there is now.
    thread::sleep(Duration::from_millis(200));
    let mut out = String::new();
    let mut reader = child.stdout.take().unwrap();
    reader.read_to_string(&mut out).unwrap();
    child.wait().unwrap();
    assert_eq!(records(&out).len(), 1);
}
