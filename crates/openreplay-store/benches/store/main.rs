//! The store next to a plain SQLite table with the same key, and served over HTTP next to
//! Elasticsearch, if the tests' Elasticsearch is installed: `cargo bench -p openreplay-store`.
//!
//! - `-- --quick` takes few records, and no Elasticsearch.
//! - `-- --records 5000000` only serves a store with so many records.
//!
//! All acknowledge a request once its records are on disk. What counts is CPU time, of all threads
//! together, and what is written to the disk (Linux only). The clients of the servers are not
//! counted: a server is a process of its own.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use openreplay_session::SessionId;
use openreplay_store::{Batch, Outcome, Store};
use rusqlite::Connection;
use tempfile::TempDir;

use self::record::{Line, RECORDS_EACH, record, sessions};

mod engine;
mod record;
mod served;

/// 1 MiB of records.
const LARGE: usize = 2_300;
const SMALL: usize = 5;
const CLIENTS: usize = 8;
const CENTURIES: Duration = Duration::from_secs(200 * 365 * 24 * 60 * 60);

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    if let Some(folder) = after(engine::SERVE) {
        return engine::serve(Path::new(folder));
    }
    if let Some(records) = after("--records") {
        return served::many(records.parse().expect("a number of records"));
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    in_process(quick);
    served::compare(quick);
}

fn in_process(quick: bool) {
    let (records, small, rounds) = if quick {
        (20_000, 2_000, 1)
    } else {
        (500_000, 50_000, 3)
    };
    let lines: Vec<_> = (0..records).map(record).collect();
    let bytes = lines.iter().map(|record| record.line.len()).sum::<usize>();
    println!(
        "{records} records of {} bytes, medians of {rounds} rounds",
        bytes / records
    );

    let mut costs: [Vec<Cost>; 4] = Default::default();
    let mut last = None;
    for _ in 0..rounds {
        let (ours, plain) = (folder(), folder());
        costs[0].push(Cost::of(&lines, || store_large(ours.path(), &lines)));
        costs[1].push(Cost::of(&lines, || {
            plain_sqlite(plain.path(), &lines, LARGE);
        }));
        last = Some((ours, plain));
        let (ours, plain) = (folder(), folder());
        let lines = &lines[..small];
        costs[2].push(Cost::of(lines, || store_small(ours.path(), lines)));
        costs[3].push(Cost::of(lines, || plain_sqlite(plain.path(), lines, SMALL)));
    }
    let names = [
        "the store, 1 MiB at a time",
        "a plain table, 1 MiB at a time",
        "the store, 5 records at a time, 8 clients",
        "a plain table, 5 records at a time",
    ];
    for (name, costs) in names.into_iter().zip(costs) {
        let written = median(costs.iter().map(|cost| cost.written));
        let rate = median(costs.iter().map(|cost| cost.rate));
        println!(
            "{name:<44} {rate:>9.0} records per CPU second, {written:>5.1} bytes written per byte"
        );
    }
    let (ours, plain) = last.expect("there was a round");
    let (size, plain_size) = (size(ours.path()), size(plain.path()));
    let ratio = size as f64 / plain_size as f64;
    println!(
        "disk: {:.2} of a plain table's {} MiB",
        ratio,
        plain_size / 1024 / 1024
    );
    query(ours.path(), records);
}

/// What it cost to store some records.
struct Cost {
    /// Records per CPU second.
    rate: f64,
    /// Bytes written per byte of input.
    written: f64,
}

impl Cost {
    fn of(lines: &[Line], work: impl FnOnce()) -> Self {
        let bytes: usize = lines.iter().map(|record| record.line.len()).sum();
        let (start, before) = (ProcessTime::now(), written());
        work();
        let rate = lines.len() as f64 / start.elapsed().as_secs_f64();
        Self {
            rate,
            written: (written() - before) as f64 / bytes as f64,
        }
    }
}

fn open(folder: &Path) -> Store {
    Store::builder(folder)
        .max_age(CENTURIES)
        .open()
        .expect("a store")
}

fn write(store: &Store, lines: &[Line]) {
    let mut batch = Batch::new();
    for record in lines {
        batch.create(Some(&record.id), record.line.clone());
    }
    let outcomes = store.write(batch).expect("it is open");
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Created))
    );
}

fn store_large(folder: &Path, lines: &[Line]) {
    let store = open(folder);
    lines.chunks(LARGE).for_each(|lines| write(&store, lines));
}

fn store_small(folder: &Path, lines: &[Line]) {
    let store = open(folder);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let store = &store;
            let batches = lines.chunks(SMALL).skip(client).step_by(CLIENTS);
            scope.spawn(move || batches.for_each(|lines| write(store, lines)));
        }
    });
}

fn plain_sqlite(folder: &Path, lines: &[Line], size: usize) {
    let mut connection = Connection::open(folder.join("plain.sqlite")).expect("a file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE record (session INTEGER, time INTEGER, id TEXT, line TEXT,
                PRIMARY KEY (session, time, id)) WITHOUT ROWID;",
        )
        .expect("a table");
    for lines in lines.chunks(size) {
        let transaction = connection.transaction().expect("a transaction");
        for record in lines {
            let row = (
                record.session.cast_signed(),
                record.time.cast_signed(),
                &record.id,
                &record.line,
            );
            let mut insert = transaction
                .prepare_cached("INSERT OR IGNORE INTO record VALUES (?1, ?2, ?3, ?4)")
                .expect("a statement");
            insert.execute(row).expect("a row");
        }
        transaction.commit().expect("it is on disk");
    }
}

/// How fast the store opens, and responds to OpenReplay's query.
fn query(folder: &Path, records: usize) {
    let opened = Instant::now();
    let store = open(folder);
    let opened = opened.elapsed();
    let ask = |session: &u64| {
        let asked = Instant::now();
        let found = store
            .session(&SessionId::from(*session), 1_000)
            .expect("it can be read");
        assert_eq!(found.len(), RECORDS_EACH);
        started.elapsed().as_secs_f64() * 1_000.0
    };
    let some: Vec<_> = some(sessions(records).collect());
    let cold = median(some.iter().map(ask));
    let warm = median(some.iter().map(ask));
    println!(
        "opened in {opened:.1?}; a session of {RECORDS_EACH} records in {cold:.2} ms, and again in {warm:.2} ms"
    );
}

/// About 200 of them, evenly chosen.
fn some(sessions: Vec<u64>) -> Vec<u64> {
    let step = (sessions.len() / 200).max(1);
    sessions.into_iter().step_by(step).collect()
}

fn folder() -> TempDir {
    // the system's own folder for temporary files may be in memory
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("it is there").flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.len())
        .sum()
}

/// What this process has written to the disk, in bytes; 0 if the system does not count them.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
