//! docs/containers-and-systemd.md: its manifests, units and commands, decoded and run as they
//! stand.

mod collector;
mod commands;
mod daemon_set;
mod decoded;
mod journal;
mod settings;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::engine::workspace;
use integration_tests::ship::Killed;
use integration_tests::{guide, openreplay_elastic};
use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;
use tracing::subscriber::with_default;
use tracing::{error, info};
use tracing_subscriber::{Registry, prelude::*};

const PAGE: &str = "docs/containers-and-systemd.md";
const SESSION: u64 = 4_950_498_349_085_463_837;
const LIMIT: Duration = Duration::from_secs(60);

/// Lines that an app writes to standard output: two records of the session, one of them longer than
/// a piece.
fn records() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let file = std::sync::Arc::new(fs::File::create(&path).unwrap());
    with_default(
        Registry::default().with(tracing_openreplay::json().with_writer(file)),
        || {
            sync_scope(SessionId::from(SESSION), || {
                info!(items = 3, "cart opened");
                error!("{}", "long ".repeat(10_000));
            });
        },
    );
    let text = fs::read_to_string(&path).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What the page's manifests come to, by their kind, as Kubernetes decodes them.
fn manifest(kind: &str) -> Value {
    let blocks = guide::blocks(PAGE).into_iter();
    let wanted = format!("kind: {kind}\n");
    let mut manifests = blocks.filter(|block| block.text.contains(&wanted));
    let text = manifests.next().expect("a manifest").text;
    let output = fed(Command::new(built("kubernetes")), &text);
    assert!(output.0, "{}", output.1);
    serde_json::from_str(&output.1).unwrap()
}

/// A program that scripts/install builds.
fn built(name: &str) -> PathBuf {
    let program = workspace().join("target").join(name);
    assert!(program.exists(), "no {name}: run scripts/install");
    program
}

/// Runs a program with this input: whether it succeeded, and what it printed.
fn fed(mut command: Command, input: &str) -> (bool, String) {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// The folder of the built command, to put in front of the path.
fn path_with_command() -> String {
    let folder = program().parent().unwrap().display().to_string();
    format!("{folder}:{}", std::env::var("PATH").unwrap())
}

fn program() -> PathBuf {
    Path::new(openreplay_elastic().get_program()).to_owned()
}

/// A store that keeps records on this machine and serves OpenReplay.
struct Store {
    _serving: Killed,
    folder: tempfile::TempDir,
    started: Value,
}

impl Store {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = openreplay_elastic();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped());
        let mut serving = Killed::start(&mut command);
        let mut line = String::new();
        let out = serving.0.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        Self {
            started: serde_json::from_str(&line).unwrap(),
            folder,
            _serving: serving,
        }
    }

    fn url(&self) -> &str {
        self.started["url"].as_str().unwrap()
    }

    fn key(&self) -> &str {
        self.started["writer"].as_str().unwrap()
    }

    /// The rows that OpenReplay's panel would show, once there are as many.
    #[track_caller]
    fn rows(&self, count: usize) -> Vec<Value> {
        let session = SESSION.to_string();
        let end = Instant::now() + LIMIT;
        loop {
            let mut command = openreplay_elastic();
            let command = command.args(["logs", &session, "--json", "--data"]);
            let output = integration_tests::CommandOutput::of(command.arg(self.folder.path()));
            let rows = output.json()["rows"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            if rows.len() >= count {
                assert_eq!(rows.len(), count, "{rows:?}");
                return rows;
            }
            assert!(Instant::now() < end, "{output:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Whether rows are these records, in their order, with their own times and levels.
#[track_caller]
fn assert_rows(rows: &[Value], records: &[String]) {
    assert_eq!(rows.len(), records.len());
    for (row, record) in rows.iter().zip(records) {
        let record: Value = serde_json::from_str(record).unwrap();
        for (shown, field) in [
            ("time", "@timestamp"),
            ("level", "level"),
            ("message", "message"),
        ] {
            assert_eq!(row[shown], record[field], "{shown}");
        }
    }
}

/// As a user's program on the path: prints the lines of a file, and then waits until it is
/// terminated.
fn write_shop(folder: &Path, lines: &[String]) {
    let records = folder.join("records");
    fs::write(&records, lines.join("\n") + "\n").unwrap();
    let script = format!(
        "#!/bin/sh\ntrap 'sed -n 2p {0}; exit 0' TERM\nsed -n 1p {0}\nwhile kill -0 $PPID 2>/dev/null; do sleep 0.05; done\n",
        records.display()
    );
    let shop = folder.join("shop");
    fs::write(&shop, script).unwrap();
    Command::new("chmod").arg("+x").arg(shop).status().unwrap();
}
