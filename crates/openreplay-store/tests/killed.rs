//! The store in processes that are killed, and that run out of disk space.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use openreplay_store::{Batch, Outcome, Store};
use serde_json::json;
use tempfile::TempDir;

const FOLDER: &str = "OPENREPLAY_STORE_TEST_FOLDER";
const FIRST: &str = "OPENREPLAY_STORE_TEST_FIRST";
const ROUNDS: u64 = 30;
const SESSIONS: u64 = 7;
/// 2020-01-01, in milliseconds.
const NEW_YEAR: u64 = 1_577_836_800_000;
const CENTURIES: Duration = Duration::from_secs(200 * 365 * 24 * 60 * 60);

/// A record whose text tells its number, so that a wrong one is noticed.
fn record(number: u64, length: usize) -> (String, String) {
    let session = number % SESSIONS;
    let text = "x".repeat(length);
    let line = json!({
        "@timestamp": (NEW_YEAR + number).to_string(),
        "message": format!("[openReplaySession.id={session}] {number} {text}"),
    });
    (format!("{number:08}"), line.to_string())
}

fn batch(numbers: impl Iterator<Item = u64>, length: usize) -> Batch {
    let mut batch = Batch::new();
    for number in numbers {
        let (id, line) = record(number, length);
        batch.create(Some(&id), line);
    }
    batch
}

fn open(folder: &Path) -> Store {
    Store::builder(folder).max_age(CENTURIES).open().unwrap()
}

/// Starts this test once more, as the program to be killed.
fn inner(test: &str, folder: &Path, first: u64, shell: &str) -> Child {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{shell} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped());
    command.spawn().unwrap()
}

fn to_fill() -> Option<(Store, u64)> {
    let folder = std::env::var_os(FOLDER)?;
    let first = std::env::var(FIRST).unwrap().parse().unwrap();
    Some((open(Path::new(&folder)), first))
}

/// What the program under test reports, on a line of its own.
fn print(text: &str) {
    println!("\n> {text}");
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("> ").map(str::to_owned))
}

fn stored(folder: &Path) -> BTreeMap<String, String> {
    let store = Store::builder(folder).open_to_read().unwrap();
    let mut found = BTreeMap::new();
    for session in 0..SESSIONS {
        let records = store.session(&session.into(), usize::MAX).unwrap();
        assert!(records.is_sorted_by_key(|record| (record.time, record.id.clone())));
        for record in records {
            assert_eq!(found.insert(record.id, record.line), None, "stored twice");
        }
    }
    assert_eq!(store.total(), found.len() as u64);
    found
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged_and_stores_nothing_twice() {
    if let Some((store, first)) = to_fill() {
        // small batches, which land, and large ones, which do not
        let mut next = first;
        for nth in 0.. {
            let count = if nth % 7 == 6 { 2_000 } else { 1 + nth % 50 };
            let outcomes = store.write(batch(next..next + count, 300)).unwrap();
            assert!(outcomes.iter().all(Outcome::is_stored));
            next += count;
            print(&next.to_string());
        }
    }
    let folder = TempDir::new().unwrap();
    let test = "a_kill_at_any_moment_loses_nothing_acknowledged_and_stores_nothing_twice";
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        // what may be stored without having been acknowledged is sent again
        let mut child = inner(test, folder.path(), acknowledged, "");
        let mut output = lines(&mut child);
        let first = output.next().expect("it writes something");
        acknowledged = first.parse().unwrap();
        std::thread::sleep(Duration::from_millis(round * 5));
        child.kill().unwrap();
        acknowledged = output
            .last()
            .map_or(acknowledged, |last| last.parse().unwrap());
        child.wait().unwrap();
        let found = stored(folder.path());
        for number in 0..acknowledged {
            let (id, line) = record(number, 300);
            assert_eq!(
                found.get(&id),
                Some(&line),
                "round {round} of {acknowledged} records"
            );
        }
    }
    assert!(acknowledged > 10 * ROUNDS, "{acknowledged}");
}

#[test]
fn a_full_disk_fails_the_write_and_loses_nothing() {
    if let Some((store, _)) = to_fill() {
        for nth in 0_u64.. {
            let outcomes = store.write(batch(nth * 20..(nth + 1) * 20, 1_000)).unwrap();
            match &outcomes[0] {
                Outcome::Created => print(&((nth + 1) * 20).to_string()),
                Outcome::Failed(_) => break,
                other => panic!("{other:?}"),
            }
        }
        print("full");
        return;
    }
    let folder = TempDir::new().unwrap();
    // no file may grow beyond so many blocks, which SQLite takes for a disk that has no more
    let limit = "trap '' XFSZ; ulimit -f 2000;";
    let mut child = inner(
        "a_full_disk_fails_the_write_and_loses_nothing",
        folder.path(),
        0,
        limit,
    );
    let output: Vec<_> = lines(&mut child).collect();
    assert!(child.wait().unwrap().success());
    assert_eq!(output.last().map(String::as_str), Some("full"));
    let acknowledged: u64 = output[output.len() - 2].parse().unwrap();
    let found = stored(folder.path());
    assert_eq!(found.len() as u64, acknowledged);
    for number in 0..acknowledged {
        let (id, line) = record(number, 1_000);
        assert_eq!(found.get(&id), Some(&line));
    }
    // with space again, it goes on where it was
    let store = open(folder.path());
    let outcomes = store.write(batch(0..acknowledged + 20, 1_000)).unwrap();
    let new = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Created))
        .count();
    assert_eq!(new, 20);
}
