//! `ship` into a real engine: exactly once, whatever happens to either side.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{Elasticsearch, Engine, openreplay_elastic};

use crate::record;

fn ship(engine: &Engine, folder: &Path) -> std::process::Command {
    let mut command = openreplay_elastic();
    command
        .env("ELASTICSEARCH_USER", USER)
        .env("ELASTICSEARCH_PASSWORD", PASSWORD)
        .args(["--url", engine.url(), "ship", "--checkpoint"])
        .arg(folder.join("ship.json"))
        .arg(folder.join("app.log*"));
    command
}

fn lines(from: usize, to: usize) -> String {
    (from..to).fold(String::new(), |text, n| {
        text + &record("3", "info", &format!("{n:08}")).to_string() + "\n"
    })
}

#[test]
#[ignore = "needs Elasticsearch"]
fn each_line_is_stored_once_though_ship_is_killed_and_logs_rolls_over_in_between() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    let mut written = 0;
    for round in 0..6 {
        let text = lines(written, written + 4_000);
        written += 4_000;
        fs::write(&log, text).unwrap();
        let mut shipping = ship(&engine, folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // some die before they send, some in the middle, some after
        thread::sleep(Duration::from_millis(60 + 70 * round));
        shipping.kill().unwrap();
        shipping.wait().unwrap();
        if round % 2 == 0 {
            assert_eq!(engine.command(&["rotate"]).code, Some(0));
        }
        fs::rename(&log, folder.path().join(format!("app.log.{round}"))).unwrap();
    }
    let done = ship(&engine, folder.path())
        .args(["--once", "--json"])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    engine.ok("POST", "/logs/_refresh", "");
    let distinct = r#"{"size":0,"track_total_hits":true,"query":{"match_phrase":{"message":"openReplaySession.id=3"}}}"#;
    let found = engine.ok("POST", "/logs/_search", distinct);
    assert_eq!(found["hits"]["total"]["value"], written);
    for n in [0, 3_999, 4_000, written - 1] {
        let one = format!(r#"{{"query":{{"match":{{"message":"{n:08}"}}}}}}"#);
        assert_eq!(
            engine.ok("POST", "/logs/_search", &one)["hits"]["total"]["value"],
            1,
            "{n}"
        );
    }
    let indices = engine.ok("GET", "/_alias/logs", "");
    assert_eq!(indices.as_object().unwrap().len(), 4);
}
