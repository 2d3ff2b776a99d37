//! `openreplay-elastic serve`, as a user starts it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::openreplay_elastic;

/// A running `serve` with the folder that was named; killed when dropped.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    folder: Option<PathBuf>,
    /// The first line on its standard output: `url`, `id`, `api_key`, `encoded` and `writer`.
    pub started: Value,
}

impl Serve {
    /// Serves a folder on a free port.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        Self::start_at(folder, "127.0.0.1:0")
    }

    /// Kills it and starts it again with the same folder and address.
    ///
    /// # Panics
    ///
    /// When it does not start, or was not started by [`start`](Self::start).
    #[must_use]
    pub fn restart(self) -> Self {
        let folder = self.folder.clone().expect("a folder");
        let address = self.url().trim_start_matches("http://").to_owned();
        drop(self);
        Self::start_at(&folder, &address)
    }

    fn start_at(folder: &Path, address: &str) -> Self {
        let mut command = openreplay_elastic();
        command.arg("serve").arg("--data").arg(folder);
        let mut serve = Self::run_at(&mut command, address);
        serve.folder = Some(folder.to_owned());
        serve
    }

    /// Runs a command that serves, with a free port in place of its own.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn run(command: &mut Command) -> Self {
        Self::run_at(command, "127.0.0.1:0")
    }

    fn run_at(command: &mut Command, address: &str) -> Self {
        let mut child = command
            .args(["--listen", address, "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        Self {
            child,
            folder: None,
            started: serde_json::from_str(&line).expect("an object"),
        }
    }

    /// A text of the first line.
    ///
    /// # Panics
    ///
    /// When there is none of this name.
    #[must_use]
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        self.started[name].as_str().expect("a text")
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.text("url")
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    ///
    /// When it has not ended after a minute.
    #[must_use]
    pub fn end(mut self) -> ExitStatus {
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status;
            }
            assert!(Instant::now() < limit, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
