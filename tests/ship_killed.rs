//! `ship` killed at random moments while its files are rotated: each line that was ended arrives
//! once.
//!
//! Elasticsearch is a stand-in that stalls, hangs up and rolls over meanwhile; the same with a real
//! engine is in `engine`.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use integration_tests::ship::{Killed, ship, wait_for};
use integration_tests::{CommandOutput, Fault, StandIn};

const KILLS: usize = 30;
/// As often as this a round ends with a truncation instead of what else may happen to the file.
const TRUNCATED_EVERY: usize = 6;

#[test]
fn each_line_arrives_once_though_ship_is_killed_thirty_times_and_its_files_are_rotated() {
    let seed = env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("the same again: SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new(folder.path());
    let server = StandIn::start();

    for round in 0..KILLS {
        let shipping =
            Killed::start(ship(server.url(), folder.path(), "app.log*").stderr(Stdio::null()));
        let end = Instant::now() + Duration::from_millis(rng.u64(5..300));
        while Instant::now() < end {
            log.write(&mut rng);
            match rng.u8(..12) {
                0 => log.rename(),
                1 => server.roll_over(&format!("logs-{:06}", server.indices().len() + 1)),
                2..6 if server.faults_left() == 0 => server.inject([fault(&mut rng)]),
                _ => {}
            }
            thread::sleep(Duration::from_millis(rng.u64(1..25)));
        }
        if round % TRUNCATED_EVERY == 0 {
            // what is written between the last look and the truncation is lost to any follower
            log.end_line();
            wait_for(&server, log.ended);
            log.copy_and_truncate();
            log.write(&mut rng);
        }
        drop(shipping);
        if rng.bool() {
            // no one looks
            log.write(&mut rng);
            log.rename();
            log.write(&mut rng);
        }
    }

    log.end_line();
    let output =
        CommandOutput::of(ship(server.url(), folder.path(), "app.log*").args(["--once", "--json"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    let json = output.json();
    assert_eq!(
        (&json["rejected"], &json["wrapped"]),
        (&0.into(), &0.into()),
        "{output:?}"
    );

    let mut times = BTreeMap::new();
    for document in server.documents() {
        *times.entry(document["n"].as_u64().unwrap()).or_insert(0) += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    let lost: Vec<_> = (0..log.ended as u64)
        .filter(|n| !times.contains_key(n))
        .collect();
    assert!(
        twice.is_empty() && lost.is_empty() && times.len() == log.ended,
        "seed {seed}: of {} lines were lost {lost:?}, stored more than once {twice:?}",
        log.ended
    );
    // else the rounds were no test
    assert!(log.renamed >= 5 && server.indices().len() > 1, "{log:?}");
    assert!(server.sent_again() > 0, "nothing was sent again");
}

fn fault(rng: &mut Rng) -> Fault {
    match rng.u8(..8) {
        0 => Fault::HangUp { stored: rng.bool() },
        1 => Fault::HalfResponse(rng.usize(..200)),
        2 => Fault::Items(429, rng.usize(1..5)),
        _ => Fault::Stall(Duration::from_millis(rng.u64(5..120))),
    }
}

/// What the app writes: numbered records, with the last line at times not yet ended.
#[derive(Debug)]
struct Log {
    path: PathBuf,
    file: File,
    /// Lines that have a line feed.
    ended: usize,
    /// The rest of a line that has been started.
    rest: Option<String>,
    renamed: usize,
    copied: usize,
}

impl Log {
    fn new(folder: &Path) -> Self {
        let path = folder.join("app.log");
        Self {
            file: append(&path),
            path,
            ended: 0,
            rest: None,
            renamed: 0,
            copied: 0,
        }
    }

    fn write(&mut self, rng: &mut Rng) {
        self.end_line();
        for _ in 0..rng.usize(1..40) {
            let line = self.line(rng);
            self.put(&line);
            self.ended += 1;
        }
        if rng.bool() {
            let line = self.line(rng);
            let (begun, rest) = line.split_at(rng.usize(1..line.len()));
            self.put(begun);
            self.rest = Some(rest.to_owned());
        }
    }

    fn line(&self, rng: &mut Rng) -> String {
        let text = "x".repeat(rng.usize(..300));
        format!(
            "{{\"n\":{},\"level\":\"info\",\"message\":\"{text}\"}}\n",
            self.ended
        )
    }

    /// Into the file that is open, whatever it is called by now.
    fn end_line(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.put(&rest);
            self.ended += 1;
        }
    }

    /// The app turns to the new file after the next line only.
    fn rename(&mut self) {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}", self.renamed));
        fs::rename(&self.path, name).unwrap();
        self.renamed += 1;
        self.end_line();
        self.file = append(&self.path);
    }

    /// As logrotate's `copytruncate`; the copy's name does not match.
    fn copy_and_truncate(&mut self) {
        let copy = self.path.with_file_name(format!("copy.{}", self.copied));
        fs::copy(&self.path, copy).unwrap();
        self.copied += 1;
        self.file.set_len(0).unwrap();
    }

    fn put(&mut self, text: &str) {
        self.file.write_all(text.as_bytes()).unwrap();
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
}
