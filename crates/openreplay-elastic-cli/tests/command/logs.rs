//! `logs`: sessions, and the rows of files.

use std::fs;

use serde_json::{Value, json};

use super::{SESSION, records, run};

#[test]
fn takes_no_token_for_a_session_and_repeats_none() {
    let long = "7".repeat(65);
    for text in [
        "3kw.1.mz.9QcTsig",
        "",
        "7 8",
        "a\u{1b}[31m",
        "\"}]",
        long.as_str(),
    ] {
        for args in [
            &["check", text][..],
            &["logs", text],
            &["logs", "--json", text],
        ] {
            let output = run(&[&["--url", "http://127.0.0.1:1"], args].concat());
            assert_eq!(output.code, Some(2), "{args:?}: {output:?}");
            assert!(output.err.contains("tracker.getSessionID()"), "{output:?}");
            let all = format!("{}{}", output.out, output.err);
            assert!(text.is_empty() || !all.contains(text), "{all}");
        }
    }
}

#[test]
fn logs_and_check_reject_what_a_page_sends_without_an_id() {
    for text in ["undefined", "null", "NaN"] {
        for args in [["check", text], ["logs", text]] {
            let output = run(&[&["--url", "http://127.0.0.1:1"], &args[..]].concat());
            assert_eq!(output.code, Some(2), "{args:?}: {output:?}");
            assert!(output.err.contains("not a session id"), "{output:?}");
        }
    }
}

#[test]
fn logs_reports_an_id_that_openreplay_never_queries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let ids = [
        "0",
        "7",
        "18446744073709551615",
        "007",
        "18446744073709551616",
        "own-id",
    ];
    let lines = ids.map(|id| {
        json!({"@timestamp": "2026-07-01T12:00:00Z", "level": "info", "message": format!("openReplaySession.id={id}")}).to_string()
    });
    std::fs::write(&path, lines.join("\n")).unwrap();
    for (nth, id) in ids.into_iter().enumerate() {
        let output = run(&["logs", id, "--file", path.to_str().unwrap()]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(
            output.err.contains("OpenReplay never requests"),
            nth >= 3,
            "{output:?}"
        );
    }
}

#[test]
fn logs_shows_the_rows_of_a_file_without_elasticsearch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    records(&path);
    let file = path.to_str().unwrap();

    let output = run(&["logs", SESSION, "--file", file]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let rows: Vec<_> = output.out.lines().collect();
    assert_eq!(rows.len(), 2, "{output:?}");
    assert!(
        rows[0].contains("info") && rows[0].ends_with("paid"),
        "{output:?}"
    );
    assert!(
        rows[1].contains("error") && rows[1].ends_with("not \\u{1b}[31mpaid"),
        "{output:?}"
    );

    let opened = run(&["logs", SESSION, "--file", file, "--open"]);
    assert!(opened.out.contains(" in full\n"), "{opened:?}");

    let output = run(&["--json", "logs", SESSION, "--file", file]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        (&response["session"], &response["total"]),
        (&json!(SESSION), &json!(2))
    );
    assert_eq!(response["rows"][1]["level"], "error");
    assert_eq!(response["rows"].as_array().map(Vec::len), Some(2));
}

#[test]
fn logs_shows_the_rows_of_files_as_the_panel_would() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, records: &[Value]| {
        let path = folder.path().join(name);
        let lines: Vec<_> = records.iter().map(Value::to_string).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let record = |n: usize, message: &str| {
        let time = format!("2026-07-01T10:{:02}:{:02}Z", n / 60, n % 60);
        let message = format!("{message} openReplaySession.id={SESSION}");
        json!({"@timestamp": time, "level": "info", "message": message})
    };
    let late: Vec<_> = (1..1_001).map(|n| record(n, "late")).collect();
    let late = file("late.log", &late);
    let early = file("early.log", &[record(0, "openReplaySession.id=7,")]);

    let output = run(&["--json", "logs", SESSION, "--file", &late, "--file", &early]);
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!((output.code, &response["total"]), (Some(0), &json!(1_001)));
    let rows = response["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1_000);
    let first = rows[0]["message"].as_str().unwrap();
    assert!(first.starts_with("openReplaySession.id=7,"), "{first}");
    let output = run(&["logs", SESSION, "--file", &late, "--file", &early]);
    assert!(
        output.err.contains("these 1000 of 1001 records"),
        "{}",
        output.err
    );

    let mut bare = record(1, "m");
    bare.as_object_mut().unwrap().remove("level");
    let broken = file("broken.log", &[record(0, "m"), bare]);
    let output = run(&["--json", "logs", SESSION, "--file", &broken]);
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        (output.code, &response["error"]["kind"]),
        (Some(1), &json!("panel"))
    );
    assert!(output.err.contains("record 2 has no `level`"), "{output:?}");
}

#[test]
fn logs_ends_with_5_where_no_record_is_of_the_session_and_with_1_where_there_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    records(&path);
    let file = path.to_str().unwrap();

    let output = run(&["logs", "8", "--file", file, "--json"]);
    assert_eq!(output.code, Some(5), "{output:?}");
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        response,
        json!({"session": "8", "total": 0, "rows": [], "incomplete": null})
    );
    assert!(
        output
            .err
            .contains("no `message` contains openReplaySession.id=8"),
        "{output:?}"
    );

    let output = run(&["logs", "8", "--file", "/nowhere/app.log"]);
    assert_eq!((output.code, &output.out[..]), (Some(1), ""));
    assert!(
        output.err.contains("/nowhere/app.log cannot be read"),
        "{output:?}"
    );
}

#[test]
fn logs_reports_the_faults_of_records_in_the_words_of_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let id = format!("openReplaySession.id={SESSION}");
    let time = "2026-07-01T10:00:00Z";
    let tracing =
        json!({"timestamp": time, "level": "INFO", "fields": {"message": id}, "target": "shop"});
    for (record, code, text) in [
        (
            json!({"level": "info", "message": id}),
            8,
            "wrong  1 of 1 records has no `@timestamp` that the panel can read - write `@timestamp` as RFC 3339",
        ),
        (
            json!({"@timestamp": time, "message": id}),
            1,
            "wrong  1 of 1 records has no `level` - give every record a `level`",
        ),
        (
            json!({"@timestamp": time, "level": "WARN", "message": id}),
            0,
            "hint   1 of 1 records has a `level` that the panel reads as info",
        ),
        (
            tracing,
            5,
            "wrong  1 of 1 records is in tracing's own JSON form",
        ),
    ] {
        fs::write(&path, record.to_string()).unwrap();
        let output = run(&["logs", SESSION, "--file", path.to_str().unwrap()]);
        assert_eq!(output.code, Some(code), "{output:?}");
        assert!(output.err.contains(text), "{output:?}");
    }
}
