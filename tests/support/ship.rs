//! `openreplay-elastic ship`, and processes that are killed.

use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::openreplay_elastic;
use test_kit::StandIn;

/// Ships what matches `pattern` in a folder to this address, with the checkpoint in `ship.json`
/// there.
#[must_use]
pub fn ship(url: &str, folder: &Path, pattern: &str) -> Command {
    let mut command = openreplay_elastic();
    command
        .args(["--url", url, "ship", "--checkpoint"])
        .arg(folder.join("ship.json"))
        .arg(folder.join(pattern));
    command
}

/// A line with a record that has no fault, and this number under `n`.
#[must_use]
pub fn line(number: u64) -> String {
    let record = json!({
        "@timestamp": "2026-07-01T12:00:00.000001Z",
        "level": "info",
        "message": "m",
        "n": number,
    });
    format!("{record}\n")
}

/// Waits until as many documents are there.
///
/// # Panics
///
/// When they are not there after a minute.
#[track_caller]
pub fn wait_for(server: &StandIn, documents: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while server.stored() < documents {
        assert!(
            Instant::now() < deadline,
            "{} of {documents}",
            server.stored()
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// The numbers of the documents under `n`, in order.
///
/// # Panics
///
/// When one has none.
#[must_use]
#[track_caller]
pub fn numbers(server: &StandIn) -> Vec<u64> {
    let documents = server.documents();
    let number = |document: &Value| document["n"].as_u64().expect("a number");
    let mut numbers: Vec<_> = documents.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// A process that gets SIGKILL when this is dropped.
#[derive(Debug)]
pub struct Killed(pub Child);

impl Killed {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("the program starts"))
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
