//! The setups of docs/existing-logging.md and docs/requests-and-traces.md, each as a process of its
//! own, and what comes out of it.

mod collector;
mod files;
mod guide;
mod log_only;
mod options;
mod otlp;
mod plain;
mod request_ids;
mod sentry;
mod traced;

use std::{env, process::Command};

use openreplay_session::{SessionId, sync_scope};
use tracing::{error, info, info_span, warn};

const PAGE: &str = "docs/existing-logging.md";

/// What a request does, once the setup under test is done.
fn request() {
    sync_scope(SessionId::from(42), || {
        let _span = info_span!("request", path = "/cart").entered();
        info!(items = 3, "cart opened");
        error!(code = 7, "out of stock");
    });
    warn!("no session");
}

/// Whether this process was started by [`run`].
fn is_child() -> bool {
    env::var_os("SET_UP").is_some()
}

/// Runs a test of this binary alone in another process, as if it were a program, and tells what it
/// wrote to stdout.
fn run(test: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("SET_UP", "1")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let written = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{written}{errors}");
    written
}

/// The lines of a process that are about the request.
fn lines(written: &str) -> Vec<&str> {
    let of_the_request = |line: &&str| {
        ["cart", "stock", "session", "lost"]
            .iter()
            .any(|word| line.contains(word))
    };
    written.lines().filter(of_the_request).collect()
}
