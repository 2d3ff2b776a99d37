//! An app killed at random moments while its files are rotated and `ship` follows them: what it has
//! logged is in its files, and each line of them arrives once, one that the kill cut short too.
//!
//! `ship` killed the same way is in `ship_killed`.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use integration_tests::ship::{Killed, ship};
use integration_tests::{CommandOutput, StandIn};
use serde_json::Value;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::prelude::*;

const KILLS: usize = 30;
const THREADS: usize = 3;
/// Of the app, started by this very test.
const FOLDER: &str = "APP_KILLED_FOLDER";
const RUN: &str = "APP_KILLED_RUN";
const HABIT: &str = "APP_KILLED_HABIT";

/// How an app writes its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// Into the file, and what a log call has written stays.
    Straight,
    /// By tracing-appender's thread.
    NonBlocking,
    /// Block by block, so that a kill leaves half a line, which the next run's first line follows.
    Blocks,
}

const HABITS: [Habit; 3] = [Habit::Straight, Habit::NonBlocking, Habit::Blocks];

/// Which run of the app, which of its threads, which of that one's.
type Record = (u64, u64, u64);

#[test]
fn each_line_of_an_app_that_is_killed_thirty_times_arrives_once() {
    if let Some(folder) = env::var_os(FOLDER) {
        app(Path::new(&folder));
    }
    let seed = env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("the same again: SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = StandIn::start();
    let ship = || ship(server.url(), folder, "app.log*");
    let shipping = Killed::start(ship().stderr(Stdio::null()));
    let mut logged = BTreeSet::new();
    let mut renamed = 0;
    for run in 0..KILLS {
        let habit = HABITS[run % HABITS.len()];
        // else half a line would be the last of its file, each time
        let rotates = habit != Habit::Blocks || run % 2 == 0;
        let app = App::start(folder, run, habit);
        for _ in 0..rng.usize(1..6) {
            thread::sleep(Duration::from_millis(rng.u64(1..60)));
            if rotates && rng.u8(..3) == 0 {
                renamed += usize::from(rename(folder, renamed));
            }
        }
        if !rotates {
            wait_for_half_a_line(&folder.join("app.log"));
        }
        logged.extend(app.kill());
        if rotates && rng.u8(..3) == 0 {
            renamed += usize::from(rename(folder, renamed));
        }
    }
    drop(shipping);
    let output = CommandOutput::of(ship().args(["--once", "--json"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.json()["rejected"], 0, "{output:?}");

    let (records, cut) = written(folder);
    let behind: BTreeSet<_> = cut.iter().filter_map(|line| behind_half(line)).collect();
    let missing: Vec<_> = logged
        .iter()
        .filter(|record| !records.contains(record) && !behind.contains(record))
        .take(10)
        .collect();
    assert!(
        missing.is_empty(),
        "seed {seed}: logged, but in no file: {missing:?}"
    );
    let mut stored = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for document in server.documents() {
        match record(&document) {
            Some(record) => *stored.entry(record).or_insert(0) += 1,
            None => {
                let text = document["message"].as_str().unwrap().to_owned();
                *texts.entry(text).or_insert(0) += 1;
            }
        }
    }
    assert_once(seed, &records, &stored);
    assert_once(seed, &cut, &texts);
    // else the rounds were no test
    let counts = (logged.len(), records.len(), cut.len(), renamed);
    println!("logged, written, cut, renamed: {counts:?}");
    assert!(
        logged.len() > 100 && records.len() > logged.len() && !cut.is_empty() && renamed > 4,
        "seed {seed}: {counts:?}"
    );
}

#[track_caller]
fn assert_once<T: Ord + std::fmt::Debug>(
    seed: u64,
    expected: &BTreeSet<T>,
    times: &BTreeMap<T, usize>,
) {
    let wrong: Vec<_> = expected
        .iter()
        .map(|one| (one, times.get(one).copied().unwrap_or(0)))
        .filter(|(_, times)| *times != 1)
        .take(10)
        .collect();
    assert!(wrong.is_empty(), "seed {seed}: not once: {wrong:?}");
    assert_eq!(times.len(), expected.len(), "seed {seed}: nobody wrote it");
}

/// The app turns to the new file by and by.
fn rename(folder: &Path, number: usize) -> bool {
    let to = folder.join(format!("app.log.{number}"));
    fs::rename(folder.join("app.log"), to).is_ok()
}

#[track_caller]
fn wait_for_half_a_line(path: &Path) {
    let start = Instant::now();
    let is_half = |text: Vec<u8>| !text.is_empty() && !text.ends_with(b"\n");
    while !fs::read(path).is_ok_and(is_half) {
        assert!(start.elapsed() < Duration::from_secs(60), "it logs nothing");
        thread::sleep(Duration::from_millis(1));
    }
}

/// What the files hold: records, and lines that are none since a kill cut them.
fn written(folder: &Path) -> (BTreeSet<Record>, BTreeSet<String>) {
    let (mut records, mut cut) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("app.log")
        {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for line in text.split_inclusive('\n') {
            match serde_json::from_str::<Value>(line) {
                Ok(document) => assert!(records.insert(record(&document).unwrap())),
                Err(_) if line.ends_with('\n') => {
                    cut.insert(line.trim_end().to_owned());
                }
                // a last line is one when it ends
                Err(_) => {}
            }
        }
    }
    (records, cut)
}

/// The record that follows half a line of the run before.
fn behind_half(line: &str) -> Option<Record> {
    let start = line.rfind(r#"{"@timestamp":"#)?;
    record(&serde_json::from_str(&line[start..]).ok()?)
}

fn record(document: &Value) -> Option<Record> {
    let number = |name: &str| document["fields"][name].as_u64();
    Some((number("run")?, number("thread")?, number("n")?))
}

/// The app, in a process of its own.
struct App {
    process: Killed,
    run: usize,
    habit: Habit,
}

impl App {
    fn start(folder: &Path, run: usize, habit: Habit) -> Self {
        let this = "each_line_of_an_app_that_is_killed_thirty_times_arrives_once";
        let process = Command::new(env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(FOLDER, folder)
            .env(RUN, run.to_string())
            .env(HABIT, format!("{habit:?}"))
            .stdout(Stdio::piped())
            .spawn();
        Self {
            process: Killed(process.unwrap()),
            run,
            habit,
        }
    }

    /// What it printed that it had logged, and must be in its files.
    fn kill(mut self) -> Vec<Record> {
        let out = self.process.0.stdout.take().unwrap();
        drop(self.process);
        if self.habit != Habit::Straight {
            return Vec::new();
        }
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        lines
            .filter_map(|line| {
                let (thread, n) = line.strip_prefix("logged ")?.split_once(' ')?;
                Some((self.run as u64, thread.parse().ok()?, n.parse().ok()?))
            })
            .collect()
    }
}

/// Logs until it is killed.
fn app(folder: &Path) -> ! {
    let habit = env::var(HABIT).unwrap();
    let habit = HABITS
        .into_iter()
        .find(|one| format!("{one:?}") == habit)
        .unwrap();
    let run: u64 = env::var(RUN).unwrap().parse().unwrap();
    let path = folder.join("app.log");
    let writer = match habit {
        Habit::Straight => BoxMakeWriter::new(Mutex::new(Reopened::new(path))),
        Habit::NonBlocking => {
            let (writer, guard) = tracing_appender::non_blocking(Reopened::new(path));
            // nobody drops it in an app that is killed
            std::mem::forget(guard);
            BoxMakeWriter::new(writer)
        }
        Habit::Blocks => BoxMakeWriter::new(Mutex::new(Blocks {
            file: append(&path),
            rest: Vec::new(),
        })),
    };
    tracing_subscriber::registry()
        .with(tracing_openreplay::json().with_writer(writer))
        .init();
    let threads: [_; THREADS] = std::array::from_fn(|thread| {
        thread::spawn(move || {
            for n in 0_u64.. {
                tracing::info!(run, thread, n, "a line that is long enough to be cut");
                // the last word may be cut: it is one when it ends
                println!("logged {thread} {n}");
                thread::sleep(Duration::from_micros(300));
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    unreachable!("it is killed")
}

/// A file that is opened anew again and again, so that it follows a rename, as rolling files are.
struct Reopened {
    path: PathBuf,
    file: File,
    left: usize,
}

impl Reopened {
    const LINES: usize = 50;

    fn new(path: PathBuf) -> Self {
        Self {
            file: append(&path),
            path,
            left: Self::LINES,
        }
    }
}

impl Write for Reopened {
    /// Each call is one line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            *self = Self::new(std::mem::take(&mut self.path));
        }
        self.left -= 1;
        self.file.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As C's standard output does it, into a file.
struct Blocks {
    file: File,
    rest: Vec<u8>,
}

impl Write for Blocks {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        const BLOCK: usize = 4096;
        self.rest.extend_from_slice(line);
        if self.rest.len() >= BLOCK {
            self.file.write_all(&self.rest[..BLOCK])?;
            self.rest.drain(..BLOCK);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn append(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.create(true).append(true).open(path).unwrap()
}
