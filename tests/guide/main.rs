//! What the README and the pages of docs/ tell a reader to do, done as it stands there.

mod axum_app;
mod compose;
mod covered;
mod dependencies;
mod elasticsearch;
mod examples;
mod inline;
mod no_row;
mod quick_start;
mod readme;
mod records;
mod serve;
mod without_elasticsearch;

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{CommandOutput, Terminal, port::free_port, terminal::Running};
use serde_json::Value;

/// The session of the guide.
const SESSION: &str = "4950498349085463837";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `127.0.0.1:PORT`, for programs whose address stands in their text.
fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}

/// For programs that print the address on which they listen.
const ANY_PORT: &str = "127.0.0.1:0";

/// `127.0.0.1:PORT`, once the program has printed that it listens there.
#[track_caller]
fn address(program: &Running) -> String {
    program.wait_for("istening on ");
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let out = program.out();
        let (_, rest) = out.split_once("istening on ").expect("it was there");
        if let Some((line, _)) = rest.split_once('\n') {
            let line = line.trim_start_matches("http://");
            return line.split('"').next().unwrap_or_default().to_owned();
        }
        assert!(Instant::now() < end, "{out}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs these lines until they succeed: a record takes a second or two.
#[track_caller]
fn soon(terminal: &mut Terminal, lines: &str) -> CommandOutput {
    within(Duration::from_secs(60), terminal, lines)
}

/// Runs these lines until they succeed, for no longer than that.
#[track_caller]
fn within(limit: Duration, terminal: &mut Terminal, lines: &str) -> CommandOutput {
    let end = Instant::now() + limit;
    loop {
        let output = terminal.run(lines);
        if output.code == Some(0) {
            return output;
        }
        assert!(Instant::now() < end, "{lines}: {output:?}");
        thread::sleep(Duration::from_millis(200));
    }
}

/// Whether a page's record is this one, but for when and where it was logged, and for what the page
/// leaves out.
#[track_caller]
fn shows(page: &str, record: &Value) {
    let whole = page.replace(",…", "").replace(", …", "");
    let shown: Value = serde_json::from_str(&whole).expect("JSON");
    for (name, value) in shown.as_object().expect("an object") {
        if ["@timestamp", "utc_time"].contains(&name.as_str()) {
            let length = |value: &Value| value.as_str().map(str::len);
            assert_eq!(length(value), length(&record[name]), "{name} in {record}");
        } else if name.starts_with("log.origin.") {
            assert_eq!(
                value.is_string(),
                record[name].is_string(),
                "{name} in {record}"
            );
        } else {
            let (shown, written) = (without_durations(value), without_durations(&record[name]));
            assert_eq!(shown, written, "{name} in {record}");
        }
    }
}

/// The digits of each duration replaced: no two runs take equally long.
fn without_durations(value: &Value) -> String {
    let text = value
        .to_string()
        .replace("\"duration_ms\":", "duration_ms=");
    let mut parts = text.split("duration_ms=");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        assert_ne!(rest, part, "{text}");
        all = all + "duration_ms=_" + rest;
    }
    all
}
