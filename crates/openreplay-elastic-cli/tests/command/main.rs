//! The built command, as far as it goes without Elasticsearch; with one it is tested in the
//! workspace's `tests/engine`.

mod connection;
mod help;
mod logs;
mod outcome;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

const SESSION: &str = "4950498349085463837";
const SECRET: &str = "not-to-be-seen";
/// `id:not-to-be-seen`, as Elasticsearch encodes it.
const ENCODED: &str = "aWQ6bm90LXRvLWJlLXNlZW4=";
const SUBCOMMANDS: [&str; 10] = [
    "setup",
    "api-key",
    "check",
    "logs",
    "rotate",
    "ship",
    "serve",
    "export",
    "completions",
    "man",
];

/// Runs it with nothing in its environment but the given variables.
fn run_with(variables: &[(&str, &str)], args: &[&str]) -> CommandOutput {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openreplay-elastic"));
    let output = command.env_clear().envs(variables.iter().copied());
    CommandOutput::from(output.args(args).output().unwrap())
}

fn run(args: &[&str]) -> CommandOutput {
    run_with(&[], args)
}

#[derive(Debug)]
struct CommandOutput {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn records(path: &Path) {
    let record = |session: &str, level: &str, text: &str| {
        let time = "2026-07-01T10:00:00.000001Z";
        json!({
            "@timestamp": time, "utc_time": time, "level": level,
            "message": format!("[openReplaySession.id={session}] {text}"), "openReplaySession.id": session,
        })
    };
    let lines = [
        record(SESSION, "info", "paid\nin full").to_string(),
        record("7", "info", "of another session").to_string(),
        record(SESSION, "error", "not \u{1b}[31mpaid").to_string(),
    ];
    fs::write(path, lines.join("\n") + "\n").unwrap();
}
