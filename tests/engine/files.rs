//! `logs --file` shows what `logs` shows.

use std::fs;

use integration_tests::Elasticsearch;
use serde_json::{Value, json};

use crate::store;

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
