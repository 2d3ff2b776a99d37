//! `ship -`: lines that can be read only once.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::ship::{Killed, wait_for};
use integration_tests::{Proxy, StandIn, openreplay_elastic};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

fn ship(url: &str, options: &[&str]) -> Command {
    let mut command = openreplay_elastic();
    command.args(["--url", url, "ship"]).args(options).arg("-");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A running `ship -`.
struct Shipping {
    child: Killed,
    input: Option<ChildStdin>,
}

/// How it ended: its exit code, and what it printed.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Shipping {
    fn start(mut command: Command) -> Self {
        let mut child = Killed::start(&mut command);
        let input = child.0.stdin.take();
        Self { child, input }
    }

    fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.0.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the end, with the input as it is.
    fn wait(mut self) -> Ended {
        let child = &mut self.child.0;
        let out = drain(child.stdout.take().unwrap());
        let err = drain(child.stderr.take().unwrap());
        let code = wait(child);
        Ended {
            code,
            out: out.join().unwrap(),
            err: err.join().unwrap(),
        }
    }

    fn close(mut self) -> Ended {
        self.input = None;
        self.wait()
    }
}

fn drain(mut stream: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    })
}

fn wait(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(Instant::now() < end, "it does not end");
        thread::sleep(Duration::from_millis(20));
    }
}

fn numbered(numbers: std::ops::Range<u64>) -> String {
    numbers
        .map(|n| json!({"@timestamp": "2026-07-01T12:00:00.000001Z", "level": "info", "message": "m", "n": n}).to_string() + "\n")
        .collect()
}

fn numbers(server: &StandIn) -> Vec<u64> {
    integration_tests::ship::numbers(server)
}

#[test]
fn lines_arrive_while_the_input_is_open_and_the_last_one_at_its_end() {
    let server = StandIn::start();
    let mut shipping = Shipping::start(ship(server.url(), &["--json"]));
    shipping.write(&numbered(0..3));
    wait_for(&server, 3);
    let last = numbered(3..4);
    shipping.write(&last[..20]);
    shipping.write(last[20..].trim_end());
    let ended = shipping.close();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let result: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(result["stored"], 4, "{result}");
    assert_eq!(numbers(&server), [0, 1, 2, 3]);
}

#[test]
fn what_is_read_is_passed_on_byte_by_byte() {
    let server = StandIn::start();
    let mut shipping = Shipping::start(ship(server.url(), &["--tee"]));
    let text = numbered(0..2) + "plain\r\n\n\tno end";
    shipping.write(&text);
    let ended = shipping.close();
    assert_eq!((ended.code, &ended.out), (Some(0), &text), "{}", ended.err);
    assert!(ended.err.contains("4 records are stored"), "{}", ended.err);
    assert_eq!(server.stored(), 4);
}

#[test]
fn a_reader_that_closes_the_pipe_keeps_nothing_from_being_delivered() {
    let server = StandIn::start();
    let mut shipping = Shipping::start(ship(server.url(), &["--tee"]));
    drop(shipping.child.0.stdout.take());
    for n in 0..3 {
        shipping.write(&numbered(n..n + 1));
        wait_for(&server, usize::try_from(n).unwrap() + 1);
    }
    shipping.input = None;
    let mut err = String::new();
    let mut stderr = shipping.child.0.stderr.take().unwrap();
    stderr.read_to_string(&mut err).unwrap();
    assert_eq!(wait(&mut shipping.child.0), Some(0), "{err}");
    assert_eq!(
        err.matches("lines are no longer passed on").count(),
        1,
        "{err}"
    );
    assert_eq!(numbers(&server), [0, 1, 2]);
}

#[test]
fn a_lost_response_loses_and_doubles_no_line() {
    let server = StandIn::start();
    let proxy = Proxy::start(server.address(), |_| None);
    let mut shipping = Shipping::start(ship(&proxy.url(), &[]));
    proxy.lose_next_response();
    shipping.write(&numbered(0..50));
    let end = Instant::now() + LIMIT;
    while !proxy.is_down() {
        assert!(Instant::now() < end, "nothing is sent");
        thread::sleep(Duration::from_millis(5));
    }
    shipping.write(&numbered(50..60));
    proxy.heal();
    let ended = shipping.close();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(numbers(&server), (0..60).collect::<Vec<_>>());
}

#[test]
#[cfg(unix)]
fn a_fifo_is_read_until_its_last_writer_closes_it() {
    let server = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("app.pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let ship = ship(server.url(), &[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec \"$0\" \"$@\" <\"$FIFO\""])
        .arg(ship.get_program())
        .args(ship.get_args())
        .env("FIFO", &fifo)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let shipping = Shipping {
        child: Killed::start(&mut command),
        input: None,
    };
    let mut writer = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    writer.write_all(numbered(0..3).as_bytes()).unwrap();
    wait_for(&server, 3);
    writer.write_all(numbered(3..5).as_bytes()).unwrap();
    drop(writer);
    let ended = shipping.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(numbers(&server), [0, 1, 2, 3, 4]);
}

#[test]
#[cfg(unix)]
fn sigterm_ends_it_though_the_input_stays_open() {
    let server = StandIn::start();
    let mut shipping = Shipping::start(ship(server.url(), &[]));
    shipping.write(&numbered(0..1));
    wait_for(&server, 1);
    shipping.signal("TERM");
    // the last lines of an app that stops too
    shipping.write(&numbered(1..2));
    let ended = shipping.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(numbers(&server), [0, 1]);
}

#[test]
#[cfg(unix)]
fn sighup_rereads_the_credentials_and_the_input_is_read_on() {
    let server = StandIn::start();
    let mut shipping = Shipping::start(ship(server.url(), &[]));
    shipping.write(&numbered(0..1));
    wait_for(&server, 1);
    shipping.signal("HUP");
    shipping.write(&numbered(1..2));
    wait_for(&server, 2);
    let ended = shipping.close();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.err.contains("the credentials have not changed"),
        "{}",
        ended.err
    );
    assert_eq!(numbers(&server), [0, 1]);
}

#[test]
#[cfg(unix)]
fn what_cannot_be_delivered_before_the_end_is_counted() {
    let server = StandIn::start();
    server.set_down(true);
    let mut shipping = Shipping::start(ship(server.url(), &[]));
    // it handles signals from its first word on
    let mut word = [0];
    let stderr = shipping.child.0.stderr.as_mut().unwrap();
    stderr.read_exact(&mut word).unwrap();
    shipping.write(&numbered(0..3));
    shipping.signal("TERM");
    let ended = shipping.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let output = "3 records were read but not delivered";
    assert!(ended.err.contains(output), "{}", ended.err);
}

#[test]
fn an_app_waits_in_its_write_while_nothing_can_be_delivered_and_loses_nothing() {
    let server = StandIn::start();
    server.set_down(true);
    let mut shipping = Shipping::start(ship(server.url(), &[]));
    let mut input = shipping.input.take().unwrap();
    let padding = "x".repeat(100_000);
    let written = Arc::new(AtomicUsize::new(0));
    let writing = thread::spawn({
        let written = Arc::clone(&written);
        move || {
            for n in 0..1_000 {
                let line = json!({"@timestamp": "2026-07-01T12:00:00.000001Z", "level": "info", "n": n, "message": padding});
                writeln!(input, "{line}").unwrap();
                written.store(n, Ordering::Relaxed);
            }
        }
    });
    // until it makes no progress
    let mut still = 0;
    let mut before = 0;
    while still < 5 {
        thread::sleep(Duration::from_millis(200));
        let now = written.load(Ordering::Relaxed);
        still = if now > 0 && now == before {
            still + 1
        } else {
            0
        };
        before = now;
    }
    assert!(before < 600, "{before} lines of 100 kB were taken");
    server.set_down(false);
    writing.join().unwrap();
    let ended = shipping.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(numbers(&server), (0..1_000).collect::<Vec<_>>());
}

#[test]
fn entries_of_the_journal_that_are_read_again_are_stored_once() {
    let server = StandIn::start();
    let entry = |cursor: &str, message: Value, more: Value| {
        let mut entry = json!({
            "__CURSOR": cursor, "__REALTIME_TIMESTAMP": "1782907200250000", "_TRANSPORT": "stdout", "PRIORITY": "6",
            "_STREAM_ID": "57a4e7e6c7e84e8d9f3b7f4d5c1a2b3c", "MESSAGE": message,
        });
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        entry.to_string() + "\n"
    };
    let record = numbered(7..8);
    let (begin, rest) = record.trim_end().split_at(30);
    let entries = [
        entry("a", json!("plain"), json!({})),
        entry("b", json!(begin), json!({"_LINE_BREAK": "line-max"})),
        entry("c", json!(rest.as_bytes()), json!({})),
    ];
    for _ in 0..2 {
        let mut shipping = Shipping::start(ship(server.url(), &[]));
        shipping.write(&entries.concat());
        let ended = shipping.close();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }
    let time = "2026-07-01T12:00:00.250000Z";
    let plain = json!({"@timestamp": time, "utc_time": time, "level": "info", "message": "plain"});
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(server.documents(), [plain, record]);
}

#[test]
fn options_that_standard_input_does_not_go_with_are_rejected() {
    for (arguments, text) in [
        (
            &["-", "app.log"][..],
            "`-` reads standard input and cannot be combined with files",
        ),
        (&["--once", "-"], "--once and --checkpoint do not apply"),
        (
            &["--checkpoint", "x.json", "-"],
            "--once and --checkpoint do not apply",
        ),
        (&["--tee", "app.log"], "pass `-` instead of files"),
        (&["--tee", "--json", "-"], "both write to standard output"),
    ] {
        let mut command = openreplay_elastic();
        let command = command
            .args(["--url", "http://127.0.0.1:1", "ship"])
            .args(arguments);
        let output = integration_tests::CommandOutput::of(command);
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(
            output.err.contains(text) || output.out.contains(text),
            "{output:?}"
        );
    }
}
