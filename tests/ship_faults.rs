//! Records that OpenReplay's panel cannot show: `ship` delivers them, and reports their faults in
//! the words of `logs --file`.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use integration_tests::ship::{Killed, ship, wait_for};
use integration_tests::{CommandOutput, StandIn, openreplay_elastic};
use serde_json::{Value, json};

const TIME: &str = "2026-07-01T12:00:00.000001Z";
const ID: &str = "[openReplaySession.id=12] m";

fn records() -> Vec<Value> {
    vec![
        json!({"@timestamp": TIME, "level": "info", "message": ID}),
        json!({"@timestamp": TIME, "message": ID}),
        json!({"timestamp": TIME, "level": "INFO", "fields": {"message": ID}, "target": "shop"}),
        json!({"@timestamp": TIME, "level": "WARN", "message": ID}),
        json!({"@timestamp": TIME, "level": "WARN", "message": ID}),
    ]
}

const FAULTS: [(&str, &str); 3] = [
    (
        "tracing-json",
        "wrong  1 of 5 records is in tracing's own JSON form, with the message in `fields.message`",
    ),
    (
        "no-level",
        "wrong  1 of 5 records has no `level` - give every record a `level` of error, warning, info or debug",
    ),
    (
        "unknown-level",
        "hint   2 of 5 records have a `level` that the panel reads as info - write error, warning, info or debug",
    ),
];

#[test]
fn faults_of_records_are_reported_once_and_counted_and_the_records_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    let path = folder.path().join("app.log");
    let text: String = records()
        .iter()
        .map(|record| format!("{record}\n"))
        .collect();
    fs::write(&path, &text).unwrap();

    let output = CommandOutput::of(ship(server.url(), folder.path(), "app.log").arg("--once"));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(server.documents(), records());
    let logs = CommandOutput::of(
        openreplay_elastic()
            .args(["logs", "12", "--file"])
            .arg(&path),
    );
    for (_, text) in FAULTS {
        assert!(output.out.contains(text), "{text}\n{output:?}");
        assert!(logs.err.contains(text), "{text}\n{logs:?}");
    }
    let messages: Vec<_> = output.err.lines().collect();
    assert_eq!(messages.len(), FAULTS.len(), "{output:?}");
    for text in [
        "app.log: records are in tracing's own JSON form",
        "app.log: records have no `level` - ",
        "app.log: records have a `level` that the panel reads as info - ",
    ] {
        assert!(output.err.contains(text), "{output:?}");
    }

    fs::write(folder.path().join("more.log"), text.repeat(2)).unwrap();
    let output =
        CommandOutput::of(ship(server.url(), folder.path(), "*.log").args(["--once", "--json"]));
    let faults = output.json()["faults"].clone();
    let counts: Vec<_> = faults.as_array().unwrap().iter().collect();
    let expected = FAULTS.map(|(name, _)| name);
    assert_eq!(
        counts
            .iter()
            .map(|fault| &fault["fault"])
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(counts[1]["text"], "2 of 10 records have no `level`");
    assert_eq!(
        (&counts[1]["records"], &counts[1]["hint"]),
        (&json!(2), &json!(false))
    );
}

#[test]
fn lines_of_a_runtime_get_their_time_and_level_and_have_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    let line = format!("{TIME} stdout F {}\n", json!({"message": ID}));
    fs::write(folder.path().join("0.log"), line + "not an object\n").unwrap();
    let output =
        CommandOutput::of(ship(server.url(), folder.path(), "0.log").args(["--once", "--json"]));
    assert_eq!(
        (output.code, output.err.as_str()),
        (Some(0), ""),
        "{output:?}"
    );
    assert_eq!(output.json()["faults"], json!([]));
    assert_eq!(output.json()["wrapped"], json!(1));
}

#[test]
fn a_fault_is_one_event_while_files_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    let path = folder.path().join("app.log");
    let record = format!("{}\n", json!({"@timestamp": TIME, "message": ID}));
    fs::write(&path, &record).unwrap();
    let mut command = ship(server.url(), folder.path(), "app.log");
    let piped = command.arg("--json").stdout(Stdio::piped());
    let mut shipping = Killed::start(piped.stderr(Stdio::null()));
    let mut lines = BufReader::new(shipping.0.stdout.take().unwrap()).lines();
    let mut event = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(event()["event"], "started");
    let fault = event();
    assert_eq!(
        (&fault["event"], &fault["fault"], &fault["text"]),
        (
            &json!("fault"),
            &json!("no-level"),
            &json!("records have no `level`")
        )
    );
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(record.as_bytes()).unwrap();
    wait_for(&server, 2);
    file.write_all(b"{\"level\":\"info\",\"message\":\"m\"}\n")
        .unwrap();
    assert_eq!(event()["fault"], "no-time");
}
