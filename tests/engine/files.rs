//! `logs --file` shows what `logs` shows.

use std::fs;

use integration_tests::{CommandOutput, Elasticsearch};
use serde_json::{Value, json};

use crate::store;

#[test]
#[ignore = "needs Elasticsearch"]
fn a_file_shows_what_ship_would_store() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    let line = |n: u32| {
        let time = format!("2026-07-01T12:00:{n:02}.000000Z");
        let message = format!("[openReplaySession.id=12] {n}");
        json!({"@timestamp": time, "level": "error", "message": message}).to_string()
    };
    let nested = ["[".repeat(5_000), "]".repeat(5_000)].concat();
    let lines = [
        format!("\u{feff}{}", line(1)),
        line(2).replacen('{', "{\"ratio\":NaN,", 1),
        line(3).replacen('{', "{\"fields\":{\"a\":1,\"a\":2},", 1),
        line(4).replacen('{', &format!("{{\"deep\":{nested},"), 1),
        format!("\t{}\r", line(5)),
        "  WARN plain text of openReplaySession.id=12 \r".to_owned(),
        "\r\n".to_owned(),
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    let file = file.to_str().unwrap();
    let checkpoint = folder.path().join("ship.json");
    let checkpoint = checkpoint.to_str().unwrap();
    let shipped = engine.command(&["ship", "--once", "--checkpoint", checkpoint, file]);
    assert_eq!(shipped.code, Some(0), "{shipped:?}");
    engine.ok("POST", "/logs/_refresh", "");

    let stored = engine.command(&["logs", "12", "--json"]);
    let read = engine.command(&["logs", "12", "--json", "--file", file]);
    let rows = |output: &CommandOutput| {
        let mut rows = output.json()["rows"].as_array().unwrap().clone();
        // the time at which a line without one was read
        rows.last_mut().unwrap()["time"].take();
        rows
    };
    assert_eq!(rows(&stored), rows(&read));
    assert_eq!(rows(&read).len(), 6, "{read:?}");
    assert_eq!(rows(&read)[5]["level"], "warning");
    assert!(read.err.contains("1 line is not a JSON object"), "{read:?}");
}

#[test]
#[ignore = "needs Elasticsearch"]
fn a_file_shows_what_elasticsearch_would() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let messages = [
        "[openReplaySession.id=12] m",
        "[openReplaySession.id=123] m",
        "openReplaySession.id=7 and openReplaySession.id=12",
        "OPENREPLAYSESSION.ID: 12",
        "openReplaySess\u{130}on.id=12",
        "xopenReplaySession.id=12",
        "x.openReplaySession.id=12",
        "x:openReplaySession.id=12",
        "x,openReplaySession.id=12",
        "\u{65e5}openReplaySession.id=12",
        "\u{e9}openReplaySession.id=12",
        "openReplaySession.id.x=12",
        "openReplaySession.id=12.5",
        "openReplaySession.id=12,5",
        "openReplaySession.id=12:5",
        "openReplaySession.id=12. The end",
        "openReplaySession.id=12_",
        "openReplaySession.id=12a",
        "openReplaySession.id=12-a",
        "openReplaySession.id is 12",
        "openReplaySession.id=own-id",
        "openReplaySession.id=Own_Id",
        "openReplaySession.id=own id",
        "openReplaySession.id=own",
        "'openReplaySession.id'='12'",
        "{\"openReplaySession.id\":\"12\"}",
    ];
    // the latest first
    let records: Vec<_> = (0..60)
        .zip(messages)
        .map(|(n, message)| {
            let time = format!("2026-07-01T12:00:{:02}.000000Z", 59 - n);
            json!({"@timestamp": time, "level": "info", "message": message})
        })
        .collect();
    store(&engine, "logs", &records);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    let lines: Vec<_> = records.iter().map(Value::to_string).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    let file = file.to_str().unwrap();
    let mut shown = 0;
    for id in ["12", "123", "7", "5", "own-id", "own_id", "own", "OWN-ID"] {
        let stored = engine.command(&["logs", id, "--json"]);
        let read = engine.command(&["logs", id, "--json", "--file", file]);
        assert_eq!(stored.json(), read.json(), "{id}");
        assert_eq!(stored.code, read.code, "{id}");
        shown += read.json()["rows"].as_array().unwrap().len();
    }
    assert!(shown > 10, "{shown}");

    let bare = json!({"message": "[openReplaySession.id=9] m"});
    store(&engine, "logs", std::slice::from_ref(&bare));
    let other = folder.path().join("other.log");
    fs::write(&other, bare.to_string()).unwrap();
    let stored = engine.command(&["logs", "9", "--json"]);
    let read = engine.command(&["logs", "9", "--json", "--file", other.to_str().unwrap()]);
    assert_eq!(stored.json(), read.json());
    assert_eq!((stored.code, read.code), (Some(1), Some(1)));
    assert_eq!(read.json()["error"]["kind"], "panel");
}
