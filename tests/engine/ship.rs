//! `ship` into a real engine: exactly once, whatever happens to either side.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{Elasticsearch, Engine, openreplay_elastic};
use openreplay_elastic::rotate;
use serde_json::json;

use crate::{block_on, client, record};

const KILLS: usize = 30;

#[test]
#[ignore = "needs Elasticsearch"]
fn each_line_is_stored_once_though_ship_is_killed_thirty_times_and_logs_rolls_over_in_between() {
    let seed = env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("the same again: SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let client = client(&engine);
    let folder = tempfile::tempdir().unwrap();
    let mut written = 0;
    let (mut renamed, mut rolled) = (0, 0);
    for _ in 0..KILLS {
        let mut shipping = ship(&engine, folder.path())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // some die before they send, some in the middle, some after
        for _ in 0..rng.usize(1..5) {
            write(folder.path(), &mut written, rng.usize(1..300));
            thread::sleep(Duration::from_millis(rng.u64(..120)));
            if rng.u8(..4) == 0 {
                rename(folder.path(), &mut renamed);
            }
        }
        shipping.kill().unwrap();
        shipping.wait().unwrap();
        // no one looks
        if rng.u8(..3) == 0 {
            rename(folder.path(), &mut renamed);
            write(folder.path(), &mut written, rng.usize(1..100));
        }
        if rng.u8(..3) == 0 {
            block_on(rotate::run(&client, &rotate::Options::default())).unwrap();
            rolled += 1;
        }
    }
    let done = ship(&engine, folder.path())
        .args(["--once", "--json"])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");

    let mut times = BTreeMap::new();
    for number in numbers(&engine) {
        *times.entry(number).or_insert(0) += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    let lost: Vec<_> = (0..written).filter(|n| !times.contains_key(n)).collect();
    assert!(
        twice.is_empty() && lost.is_empty() && times.len() == written,
        "seed {seed}: of {written} lines were lost {lost:?}, stored more than once {twice:?}"
    );
    println!("{written} lines, {renamed} files, {rolled} rollovers");
    // else the rounds were no test
    let behind = engine.ok("GET", "/_alias/logs", "");
    assert_eq!(behind.as_object().unwrap().len(), rolled + 1);
    assert!(renamed >= 3 && rolled >= 2, "seed {seed}");
}

fn ship(engine: &Engine, folder: &Path) -> Command {
    let mut command = openreplay_elastic();
    command
        .env("ELASTICSEARCH_USER", USER)
        .env("ELASTICSEARCH_PASSWORD", PASSWORD)
        .args(["--url", engine.url(), "ship", "--checkpoint"])
        .arg(folder.join("ship.json"))
        .arg(folder.join("app.log*"));
    command
}

fn write(folder: &Path, written: &mut usize, lines: usize) {
    let text = (*written..*written + lines).fold(String::new(), |text, n| {
        text + &record("3", "info", &format!("line {n}")).to_string() + "\n"
    });
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("app.log"));
    file.unwrap().write_all(text.as_bytes()).unwrap();
    *written += lines;
}

/// Where there is a file to rename.
fn rename(folder: &Path, renamed: &mut usize) {
    let rotated = folder.join(format!("app.log.{renamed}"));
    if fs::rename(folder.join("app.log"), rotated).is_ok() {
        *renamed += 1;
    }
}

/// The number of each line that is stored, of every page.
fn numbers(engine: &Engine) -> Vec<usize> {
    engine.ok("POST", "/logs/_refresh", "");
    let query = json!({
        "size": 5_000,
        "_source": ["message"],
        "query": {"match_phrase": {"message": "openReplaySession.id=3"}},
    });
    let mut page = engine.ok("POST", "/logs/_search?scroll=1m", &query.to_string());
    let mut numbers = Vec::new();
    loop {
        let hits = page["hits"]["hits"].as_array().unwrap();
        if hits.is_empty() {
            return numbers;
        }
        numbers.extend(hits.iter().map(|hit| {
            let message = hit["_source"]["message"].as_str().unwrap();
            let (_, number) = message.rsplit_once(' ').unwrap();
            number.parse::<usize>().unwrap()
        }));
        let next = json!({"scroll": "1m", "scroll_id": page["_scroll_id"]});
        page = engine.ok("POST", "/_search/scroll", &next.to_string());
    }
}
