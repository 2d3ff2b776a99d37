//! A real Chromium, driven by Playwright scripts: see `tests/browser/drive.mjs`.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

/// How a script ended.
#[derive(Debug)]
pub struct Ran {
    /// What the script returned.
    pub value: Value,
    /// What its page wrote to the console.
    pub console: Vec<String>,
}

/// Runs a Playwright script in a Chromium of its own; it has `page`, `context`, `browser` and
/// `args`.
///
/// # Panics
///
/// Where the script fails, or node, its packages or Chromium are not installed.
#[track_caller]
pub fn run(script: &str, args: &Value) -> Ran {
    let mut driver = Command::new("node")
        .arg(frontend().join("drive.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node is installed: scripts/install");
    let input = json!({ "script": script, "args": args }).to_string();
    driver
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes())
        .expect("node reads the script");
    let output = driver.wait_with_output().expect("node runs");
    assert!(
        output.status.success(),
        "{}\nin the script:\n{script}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut ran: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let console = ran["console"].as_array().cloned().unwrap_or_default();
    Ran {
        value: ran["value"].take(),
        console: console
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

/// Bundles the frontend code as an app would, into a folder: a module for each file of
/// `tests/browser/frontend`.
///
/// # Panics
///
/// Where it does not bundle, or node is not installed.
pub fn bundle(folder: &Path) {
    let built = Command::new("node")
        .arg(frontend().join("build.mjs"))
        .arg(folder)
        .status()
        .expect("node is installed: scripts/install");
    assert!(built.success(), "the frontend code does not bundle");
}

/// The folder of the frontend code and its packages.
#[must_use]
pub fn frontend() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}
