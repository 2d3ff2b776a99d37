//! Exit codes and errors, and what is printed for programs.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::{SESSION, records, run};

#[test]
fn a_reader_that_closes_the_pipe_does_not_change_the_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    records(&path);
    let file = path.to_str().unwrap();
    for (args, code) in [
        (&["check"][..], 4),
        (&["check", "--json"], 4),
        (&["setup", "--json"], 1),
        (&["logs", "8", "--json", "--file", file], 5),
        (&["logs", SESSION, "--file", file], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = Command::new(env!("CARGO_BIN_EXE_openreplay-elastic"))
            .env_clear()
            .args(["--url", "http://127.0.0.1:1"])
            .args(args)
            .stdout(writer)
            .stderr(std::process::Stdio::null())
            .status();
        assert_eq!(status.unwrap().code(), Some(code), "{args:?}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_is_reported_on_standard_error() {
    let url = ["--url", "http://127.0.0.1:1"];
    for (args, text) in [
        (&["logs"][..], "<SESSION>"),
        (&["ship"], "<FILE>"),
        (&["repair"], "repair"),
        (&["setup", "--quickly"], "--quickly"),
        (&["ship", "--gzip", "10", "app.log"], "10"),
        (&["rotate", "--max-age", "soon"], "soon"),
        (&["api-key", "--writer", "--documented"], "--documented"),
        (&["api-key", "--read"], "--writer"),
        (&["api-key", "--expires-in", "0d"], "the expiry is 0"),
        (
            &["--url", "http://127.0.0.1:99999", "setup"],
            "no port from 1 to 65535",
        ),
        (&["--request-timeout", "0s", "setup"], "1s to 1h"),
        (&["--request-timeout", "61m", "setup"], "1s to 1h"),
        (&["--request-timeout", "ten", "setup"], "30m or 45s"),
        (&["--client-cert", "c.pem", "setup"], "--client-key"),
        (
            &["--ca-cert", "/nowhere/ca.pem", "setup"],
            "/nowhere/ca.pem cannot be read",
        ),
        (
            &["--user", "x", "--password-file", "/dev/null", "setup"],
            "/dev/null is empty",
        ),
        (&["setup", "--also", "a b"], "cannot be an index's name"),
        (
            &["ship", "--checkpoint", "/dev/full", "app.log"],
            "/dev/full is not a regular file",
        ),
        (
            &["ship", "--checkpoint", "/tmp", "app.log"],
            "/tmp is not a regular file",
        ),
        (
            &["ship", "--checkpoint", "/tmp/none/ship.json", ""],
            "a file without a name",
        ),
        (&["--user", "elastic", "setup"], "ELASTICSEARCH_PASSWORD"),
        (
            &[
                "--user",
                "x",
                "--password-file",
                "/nowhere/password",
                "setup",
            ],
            "/nowhere/password cannot be read",
        ),
    ] {
        let output = run(&[&url[..], args].concat());
        assert_eq!(
            (output.code, &output.out[..]),
            (Some(2), ""),
            "{args:?}: {output:?}"
        );
        assert!(output.err.contains(text), "{args:?}: {output:?}");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_kept_ends_with_1_and_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/ship.json");
    let args = ["ship", "--checkpoint", path.to_str().unwrap(), "app.log"];
    let output = run(&[&["--url", "http://127.0.0.1:1"], &args[..]].concat());
    assert_eq!((output.code, &output.out[..]), (Some(1), ""), "{output:?}");
    assert!(
        output.err.contains("its folder must be writable"),
        "{output:?}"
    );
}

#[test]
fn an_error_is_one_json_object_too() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("ship.json");
    fs::write(&garbage, "garbage").unwrap();
    let garbage = garbage.to_str().unwrap();
    let url = ["--json", "--url", "http://127.0.0.1:1"];
    for (args, code, kind, precondition) in [
        (&["setup"][..], 1, "unreachable", Value::Null),
        (&["api-key"], 1, "unreachable", Value::Null),
        (&["rotate"], 1, "unreachable", Value::Null),
        (&["rotate", "--keep", "1m"], 2, "usage", Value::Null),
        (&["rotate", "--keep", "soon"], 2, "usage", Value::Null),
        (&["repair"], 2, "usage", Value::Null),
        (
            &["logs", "1", "--file", "/nowhere/app.log"],
            1,
            "io",
            Value::Null,
        ),
        (
            &["ship", "a.log", "--checkpoint", garbage],
            3,
            "precondition",
            json!("checkpoint-unreadable"),
        ),
    ] {
        let output = run(&[&url[..], args].concat());
        assert_eq!(output.code, Some(code), "{args:?}: {output:?}");
        assert_eq!(output.out.lines().count(), 1, "{args:?}: {output:?}");
        let response: Value = serde_json::from_str(&output.out).unwrap();
        let error = &response["error"];
        assert_eq!(
            (&error["kind"], &error["precondition"]),
            (&json!(kind), &precondition),
            "{args:?}: {output:?}"
        );
        let text = error["text"].as_str().unwrap();
        assert!(!text.is_empty() && output.err.contains(text), "{output:?}");
    }
    // the requested help is no error
    let output = run(&["--json", "--help"]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let output = run(&["--json", "check", "--url", "http://127.0.0.1:1"]);
    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!((output.code, &report["good"]), (Some(4), &json!(false)));
}

/// Programs read these: a changed name is a breaking change.
#[test]
fn what_is_printed_for_programs_is_the_same_in_every_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let line = r#"{"@timestamp":"2026-07-01T12:00:00Z","level":"error","message":"openReplaySession.id=7"}"#;
    std::fs::write(&path, line).unwrap();
    let url = ["--json", "--url", "http://127.0.0.1:1"];
    let args = |args: &[&'static str]| [&url, args].concat();
    let logs = ["--json", "logs", "7", "--file", path.to_str().unwrap()];
    let nothing = args(&["setup"]);
    let check = args(&["check"]);
    let usage = args(&["logs", "undefined"]);
    for (args, members) in [
        (
            &logs[..],
            "incomplete rows[level message time] session total",
        ),
        (
            &nothing,
            "error.because error.kind error.precondition error.reason error.remedy error.status error.text error.type",
        ),
        (
            &usage,
            "error.because error.kind error.precondition error.reason error.remedy error.status error.text error.type",
        ),
        (
            &check,
            "add_passes findings[fault hint remedy text] good records session unexamined",
        ),
    ] {
        let output = run(args);
        let response: Value = serde_json::from_str(&output.out).unwrap();
        assert_eq!(shape(&response).join(" "), members, "{output:?}");
    }
    let output = run(&logs);
    let expected = json!({"session": "7", "total": 1, "incomplete": null, "rows": [
        {"time": "2026-07-01T12:00:00Z", "level": "error", "message": "openReplaySession.id=7"},
    ]});
    assert_eq!(
        serde_json::from_str::<Value>(&output.out).unwrap(),
        expected
    );
}

/// The names in a response: of a list, those of its first element.
fn shape(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let names = members.iter().flat_map(|(name, value)| match value {
        Value::Object(_) => shape(value)
            .into_iter()
            .map(|one| format!("{name}.{one}"))
            .collect(),
        Value::Array(all) if all.first().is_some_and(Value::is_object) => {
            vec![format!("{name}[{}]", shape(&all[0]).join(" "))]
        }
        _ => vec![name.clone()],
    });
    names.collect()
}
