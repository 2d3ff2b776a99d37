//! The built command, and the Go program that sends OpenReplay's queries.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::engine::{Engine, PASSWORD, USER, workspace};
use crate::process::cargo;

/// `openreplay-elastic`, without the environment's own settings; built first, if need be.
///
/// # Panics
///
/// When it cannot be built.
#[must_use]
pub fn openreplay_elastic() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let program = BUILT.get_or_init(|| {
        // .../debug/deps/this-test
        let this = std::env::current_exe().expect("a running program has a place");
        let profile = this.ancestors().nth(2).expect("cargo puts it into deps");
        let target = profile.parent().expect("cargo has a target folder");
        let done = cargo()
            .args([
                "build",
                "--quiet",
                "--locked",
                "-p",
                "openreplay-elastic-cli",
            ])
            .args((profile.ends_with("release")).then_some("--release"))
            .arg("--target-dir")
            .arg(target)
            .current_dir(workspace())
            .status()
            .expect("cargo runs");
        assert!(done.success(), "the command cannot be built");
        profile.join("openreplay-elastic")
    });
    let mut command = Command::new(program);
    for name in ["URL", "API_KEY", "USER", "PASSWORD"] {
        command.env_remove(format!("ELASTICSEARCH_{name}"));
    }
    command
}

/// The output of a finished command.
#[derive(Debug)]
pub struct CommandOutput {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl CommandOutput {
    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("the program starts");
        Self {
            code: status.code(),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Its standard output, read as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Engine {
    /// Runs `openreplay-elastic` as the user who may do everything.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> CommandOutput {
        let mut command = openreplay_elastic();
        command
            .env("ELASTICSEARCH_USER", USER)
            .env("ELASTICSEARCH_PASSWORD", PASSWORD)
            .env("ELASTICSEARCH_URL", self.url())
            .args(args);
        CommandOutput::of(&mut command)
    }

    /// Runs `openreplay-elastic` with an API key in its encoded form.
    #[must_use]
    pub fn command_with_key(&self, encoded: &str, args: &[&str]) -> CommandOutput {
        let mut command = openreplay_elastic();
        command
            .env("ELASTICSEARCH_API_KEY", encoded)
            .env("ELASTICSEARCH_URL", self.url())
            .args(args);
        CommandOutput::of(&mut command)
    }

    /// Sends OpenReplay's query for a session, or that of "Add", with the Go client that it uses.
    /// Returns the hits, or the client's error.
    ///
    /// # Errors
    ///
    /// The client's error.
    ///
    /// # Panics
    ///
    /// When the Go program is not there: `scripts/install` has not run.
    pub fn query_as_openreplay(
        &self,
        key: &Value,
        session: Option<&str>,
    ) -> Result<Vec<Value>, String> {
        query_as_openreplay(self.url(), key, session)
    }
}

/// Sends OpenReplay's query for a session, or that of "Add", with the Go client that it uses.
/// `key` has `id` and `api_key`.
///
/// # Errors
///
/// The client's error.
///
/// # Panics
///
/// When the Go program is missing: `scripts/install` has not run.
pub fn query_as_openreplay(
    url: &str,
    key: &Value,
    session: Option<&str>,
) -> Result<Vec<Value>, String> {
    let program = workspace().join("target/go-client");
    assert!(program.exists(), "no Go client: run scripts/install");
    let text = |name: &str| key[name].as_str().unwrap_or("-").to_owned();
    let output = CommandOutput::of(
        Command::new(program)
            .arg(url)
            .args(session)
            .env("API_KEY_ID", text("id"))
            .env("API_KEY", text("api_key")),
    );
    match output.code {
        Some(0) => Ok(serde_json::from_str(&output.out).expect("hits")),
        _ => Err(output.err),
    }
}
