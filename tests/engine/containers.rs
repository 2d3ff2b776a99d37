//! Lines of a container into a real engine: exactly once, whatever happens between two pieces.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::cri::{CriLog, append};
use integration_tests::engine::{PASSWORD, USER};
use integration_tests::process::{Example, program};
use integration_tests::ship::{Killed, ship};
use integration_tests::{Elasticsearch, Engine};
use serde_json::Value;

const SESSION: &str = "4950498349085463837";
/// So small that each record comes in several pieces: `max_container_log_line_size` of containerd.
const PIECE: usize = 120;

#[test]
#[ignore = "needs Elasticsearch"]
fn records_of_the_example_in_pieces_are_stored_once_though_both_sides_are_killed_and_the_file_is_rotated()
 {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let lines = example(folder.path());
    let log = CriLog::new("stdout").with_limit(PIECE);
    let pieces: Vec<_> = lines.iter().flat_map(|line| log.pieces(line)).collect();
    assert!(pieces.len() > lines.len() * 4, "{} pieces", pieces.len());

    let file = folder.path().join("0.log");
    let start = || {
        let mut command = ship(engine.url(), folder.path(), "0.log*");
        command
            .env("ELASTICSEARCH_USER", USER)
            .env("ELASTICSEARCH_PASSWORD", PASSWORD)
            .stderr(Stdio::null());
        Killed::start(&mut command)
    };
    let mut shipping = start();
    let (kill, restart) = (pieces.len() / 4, pieces.len() - 3);
    // within a line
    let rotation = (pieces.len() / 2..).find(|number| is_begun(&pieces[*number]));
    let rotation = rotation.expect("a piece that is not the last of its line");
    for (number, piece) in pieces.iter().enumerate() {
        append(&file, piece);
        if number == kill {
            engine.kill();
        }
        if number == rotation {
            fs::rename(&file, folder.path().join("0.log.20260701-120000")).unwrap();
        }
        if number == restart {
            engine.restart();
        }
        // some of these kills meet requests on their way, and all a line that has only begun
        if number % 5 == 3 {
            thread::sleep(Duration::from_millis(300));
            drop(shipping);
            shipping = start();
        }
    }
    let expected: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown = rows(&engine, expected.len());
    for record in &expected {
        let same = shown.iter().filter(|row| {
            let fields = [
                ("time", "@timestamp"),
                ("level", "level"),
                ("message", "message"),
            ];
            fields
                .iter()
                .all(|(shown, field)| row[shown] == record[field])
        });
        assert_eq!(same.count(), 1, "{record} in {shown:?}");
    }
    assert!(expected.iter().any(|record| record["level"] == "error"));
}

fn is_begun(piece: &[u8]) -> bool {
    let text = String::from_utf8_lossy(piece);
    text.split(' ').nth(2) == Some("P")
}

/// What the example prints for some requests of the session, as it prints it.
fn example(folder: &Path) -> Vec<String> {
    let out = folder.join("out");
    let mut command = Command::new("bash");
    // the program itself takes the place of the shell, so that it ends with the test
    command
        .args(["-c", "exec \"$PROGRAM\" > >(tee \"$OUT\")"])
        .env("PROGRAM", program("axum-app"))
        .env("OUT", &out)
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .env("STORE_DIR", folder.join("store"))
        .env_remove("ELASTICSEARCH_URL");
    let app = Example::run(&mut command);
    let url = app.url();
    for path in ["endpoint", "error", "endpoint"] {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let requests = agent
            .get(format!("{url}/api/{path}"))
            .header("openReplaySession.id", SESSION);
        requests.call().unwrap();
    }
    let (status, records) = app.terminate();
    assert!(status.success(), "{status}");
    let lines = fs::read_to_string(out).unwrap();
    let lines = lines.lines().filter(|line| line.contains(SESSION));
    let lines: Vec<_> = lines.map(str::to_owned).collect();
    assert!(lines.len() >= 4, "{records:?}");
    lines
}

/// The rows of the session, once there are as many, and no more a while later.
fn rows(engine: &Engine, count: usize) -> Vec<Value> {
    let rows = || {
        let output = engine.command(&["logs", SESSION, "--json"]);
        output.json()["rows"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let end = Instant::now() + Duration::from_secs(60);
    while rows().len() < count {
        assert!(Instant::now() < end, "{:?}", rows());
        thread::sleep(Duration::from_millis(200));
    }
    engine.ok("POST", "/logs/_refresh", "");
    let rows = rows();
    assert_eq!(rows.len(), count, "{rows:?}");
    rows
}
