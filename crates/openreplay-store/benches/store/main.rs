//! The store next to one plain SQLite table with the same key: `cargo bench -p openreplay-store`;
//! `-- --quick` takes few records.
//!
//! Everything runs in this process, interleaved, and both acknowledge once records are on disk.
//! What counts is CPU time, of all threads together, and what the process writes to the disk (Linux
//! only). For a network in between, see the workspace's integration tests.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use openreplay_session::SessionId;
use openreplay_store::{Batch, Outcome, Store};
use rusqlite::Connection;
use tempfile::TempDir;

/// As many sessions are active at a time, and each has so many records.
const ACTIVE: usize = 200;
const RECORDS_EACH: usize = 50;
/// 1 MiB of records.
const LARGE: usize = 2_300;
const SMALL: usize = 5;
const CLIENTS: usize = 8;
/// 2026-07-01, in milliseconds.
const START: u64 = 1_782_864_000_000;
const CENTURIES: Duration = Duration::from_secs(200 * 365 * 24 * 60 * 60);

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
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

struct Line {
    id: String,
    session: u64,
    time: u64,
    line: String,
}

/// A record of about 450 bytes, as `json()` writes it.
fn record(number: usize) -> Line {
    let cohort = number / (ACTIVE * RECORDS_EACH);
    let session_number = (cohort * ACTIVE + number % ACTIVE) as u64;
    let time = START + number as u64;
    // as OpenReplay numbers them: by the time of their start, in milliseconds since 2019
    let session = (START + session_number - 1_550_000_000_000) << 24;
    let stamp = format!(
        "2026-07-01T{:02}:{:02}:{:02}.{:03}000Z",
        number / 3_600_000 % 24,
        number / 60_000 % 60,
        number / 1_000 % 60,
        number % 1_000
    );
    let mut random = fastrand::Rng::with_seed(number as u64);
    let (user, took, order) = (random.u32(..100_000), random.u32(1..900), random.u64(..));
    let line = format!(
        concat!(
            r#"{{"@timestamp":"{stamp}","utc_time":"{stamp}","level":"info","message":"[openReplaySession.id={session}] "#,
            r#"request finished status=200 took_ms={took} user=u{user:05} order={order:016x}","openReplaySession.id":"{session}","#,
            r#""log.logger":"shop::checkout","service.name":"shop","fields":{{"status":200,"took_ms":{took},"user":"u{user:05}","#,
            r#""order":"{order:016x}"}},"spans":[{{"name":"request","method":"GET","path":"/api/orders"}}]}}"#,
        ),
        stamp = stamp,
        session = session,
        took = took,
        user = user,
        order = order,
    );
    Line {
        id: format!("{time:x}-{number:08x}"),
        session,
        time,
        line,
    }
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
    let sessions = records / (ACTIVE * RECORDS_EACH) * ACTIVE;
    let query = |nth: usize| {
        let session = record(nth % ACTIVE + nth / ACTIVE * ACTIVE * RECORDS_EACH).session;
        let started = Instant::now();
        let found = store
            .session(&SessionId::from(session), 1_000)
            .expect("it can be read");
        assert_eq!(found.len(), RECORDS_EACH);
        started.elapsed().as_secs_f64() * 1_000.0
    };
    let some: Vec<_> = (0..sessions).step_by((sessions / 200).max(1)).collect();
    let cold = median(some.iter().map(|nth| query(*nth)));
    let warm = median(some.iter().map(|nth| query(*nth)));
    println!(
        "opened in {opened:.1?}; a session of {RECORDS_EACH} records in {cold:.2} ms, and again in {warm:.2} ms"
    );
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
