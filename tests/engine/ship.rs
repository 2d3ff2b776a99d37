//! `ship` into a real engine: exactly once, whatever happens to either side.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use integration_tests::engine::{PASSWORD, USER};
use integration_tests::ship::{Killed, ship};
use integration_tests::{CommandOutput, Elasticsearch, Engine, Proxy};
use openreplay_elastic::admin::rotate;
use serde_json::{Value, json};

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
    let proxy = Proxy::start(engine.address(), |_| None);
    let ship = || {
        let mut command = ship(&proxy.url(), folder.path(), "app.log*");
        command
            .env("ELASTICSEARCH_USER", USER)
            .env("ELASTICSEARCH_PASSWORD", PASSWORD);
        command
    };
    let mut written = 0;
    let (mut renamed, mut rolled, mut left_behind) = (0, 0, 0);
    for round in 0..KILLS {
        // every other kill meets records of which nobody knows whether they are stored
        let loses = round % 2 == 0;
        let shipping = Killed::start(ship().stderr(Stdio::null()));
        // the others die before they send, in the middle, or after
        for _ in 0..rng.usize(1..5) {
            write(folder.path(), &mut written, rng.usize(1..300));
            thread::sleep(Duration::from_millis(rng.u64(..120)));
            if rng.u8(..4) == 0 {
                rename(folder.path(), &mut renamed);
            }
        }
        if loses {
            proxy.lose_next_response();
            write(folder.path(), &mut written, rng.usize(1..300));
            let deadline = Instant::now() + Duration::from_secs(60);
            while !proxy.is_down() {
                assert!(Instant::now() < deadline, "nothing is sent");
                thread::sleep(Duration::from_millis(5));
            }
        }
        drop(shipping);
        proxy.heal();
        // no one looks
        if rng.u8(..3) == 0 {
            rename(folder.path(), &mut renamed);
            write(folder.path(), &mut written, rng.usize(1..100));
        }
        if loses || rng.u8(..3) == 0 {
            block_on(rotate::run(&client, &rotate::RotateOptions::default())).unwrap();
            rolled += 1;
            let in_flight = in_flight(folder.path());
            left_behind +=
                usize::from(in_flight.is_some_and(|index| index != write_index(&engine)));
        }
    }
    let output = CommandOutput::of(ship().args(["--once", "--json"]));
    assert_eq!(output.code, Some(0), "{output:?}");

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
    println!(
        "{written} lines, {renamed} files, {rolled} rollovers, {left_behind} kills with records on their way to an index \
         that `logs` left then"
    );
    // else the rounds were no test
    let behind = engine.ok("GET", "/_alias/logs", "");
    assert_eq!(behind.as_object().unwrap().len(), rolled + 1);
    assert!(
        renamed >= 3 && rolled >= 2 && left_behind >= 1,
        "seed {seed}"
    );
}

/// The index of what was on its way when `ship` was killed.
fn in_flight(folder: &Path) -> Option<String> {
    let checkpoint = fs::read(folder.join("ship.json")).ok()?;
    let checkpoint: Value = serde_json::from_slice(&checkpoint).unwrap();
    checkpoint["in_flight"]["index"].as_str().map(str::to_owned)
}

fn write_index(engine: &Engine) -> String {
    let behind = engine.ok("GET", "/_alias/logs", "");
    let mut behind = behind.as_object().unwrap().iter();
    let write_index = behind.find(|(_, index)| index["aliases"]["logs"]["is_write_index"] == true);
    write_index.unwrap().0.clone()
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
