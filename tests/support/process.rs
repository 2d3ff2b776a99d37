//! Programs of this workspace, started as a user starts them.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// A running example, and the records that it writes to its stdout. Killed when dropped.
#[derive(Debug)]
pub struct Example {
    child: Child,
    records: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
    /// Lives as long as the program.
    folder: Option<TempDir>,
}

impl Example {
    /// Builds `axum-app` and starts it on a free port with these variables, and with a store of its
    /// own.
    ///
    /// # Panics
    ///
    /// Where it does not build or start.
    #[must_use]
    pub fn axum_app(variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut command = Command::new(program("axum-app"));
        command
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("STORE_DIR", folder.path())
            .env_remove("ELASTICSEARCH_URL")
            .envs(variables.iter().copied());
        let mut example = Self::run(&mut command);
        example.folder = Some(folder);
        example
    }

    /// Runs a program that was built.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    #[must_use]
    pub fn run(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was just built");
        let stdout = child.stdout.take().expect("it is piped");
        let records = Arc::default();
        let reader = thread::spawn({
            let records = Arc::clone(&records);
            move || read(stdout, &records)
        });
        Self {
            child,
            records,
            reader: Some(reader),
            folder: None,
        }
    }

    /// The folder of its store.
    ///
    /// # Panics
    ///
    /// If it was not started by [`axum_app`](Self::axum_app).
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("it has one").path()
    }

    /// The records so far.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The address that the program logs, such as `http://127.0.0.1:3000`.
    ///
    /// # Panics
    ///
    /// If it logs none within a minute.
    #[must_use]
    pub fn url(&self) -> String {
        let listening = |record: &Value| {
            let message = record["message"].as_str()?;
            message.strip_prefix("Listening on ").map(str::to_owned)
        };
        self.wait_for("the address it listens on", |records| {
            records.iter().find_map(listening)
        })
    }

    /// What `find` finds in the records, once it does.
    ///
    /// # Panics
    ///
    /// Where it finds nothing within a minute.
    pub fn wait_for<T>(&self, what: &str, find: impl Fn(&[Value]) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = find(&self.records()) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "no {what} in {:#?}",
                self.records()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it with SIGTERM, and returns how it ended and all its records.
    ///
    /// # Panics
    ///
    /// If it cannot be signalled, or has not ended a minute later.
    #[must_use]
    pub fn terminate(mut self) -> (ExitStatus, Vec<Value>) {
        let sent = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.expect("kill is there").success());
        let deadline = Instant::now() + Duration::from_secs(60);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(20));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends with the output");
        }
        (status, self.records())
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stdout: ChildStdout, records: &Mutex<Vec<Value>>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let record = serde_json::from_str(&line).expect("every line on stdout is a record");
        records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(record);
    }
}

/// Builds the package's program and returns its path.
///
/// # Panics
///
/// Where it does not build.
#[must_use]
pub fn program(package: &str) -> PathBuf {
    let built = cargo()
        .args([
            "build",
            "--locked",
            "--message-format=json",
            "--package",
            package,
        ])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs this test");
    assert!(built.status.success(), "{package} does not build");
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("the package has a program")
}

/// Cargo as outside of a test.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    leave_the_test(&mut cargo);
    cargo
}

/// Takes away what cargo tells a test about its package: it makes build scripts run again, and with
/// them half the dependencies.
pub(crate) fn leave_the_test(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}
