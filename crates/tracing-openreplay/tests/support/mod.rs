//! Runs tests of global state in a separate process.

use std::{
    env,
    process::{Command, Output},
};

const CHILD: &str = "TRACING_OPENREPLAY_CHILD";

/// Returns a command that runs the calling test in a separate process.
///
/// In that process, this function calls `run` and returns `None`.
pub(crate) fn command(test: &str, run: impl FnOnce()) -> Option<Command> {
    if env::var_os(CHILD).is_some() {
        run();
        return None;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", test, "--nocapture"])
        .env_remove("RUST_LOG")
        .env(CHILD, "1");
    Some(child)
}

/// Runs the calling test in a separate process with these environment variables.
pub(crate) fn child(test: &str, variables: &[(&str, &str)], run: impl FnOnce()) -> Option<Output> {
    let mut child = command(test, run)?;
    Some(child.envs(variables.iter().copied()).output().unwrap())
}

/// Returns the standard output and standard error of `run` in a separate process, which must
/// succeed.
pub(crate) fn alone_with(
    test: &str,
    variables: &[(&str, &str)],
    run: impl FnOnce(),
) -> Option<(String, String)> {
    let child = child(test, variables, run)?;
    let [out, err] = [child.stdout, child.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(child.status.success(), "{out}{err}");
    Some((out, err))
}

/// Does the same as [`alone_with`], without environment variables.
pub(crate) fn alone(test: &str, run: impl FnOnce()) -> Option<(String, String)> {
    alone_with(test, &[], run)
}

/// Returns the lines of `tracing-openreplay` on standard error.
pub(crate) fn diagnostics(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines();
    lines
        .filter(|line| line.starts_with("tracing-openreplay: "))
        .collect()
}

/// Returns the records on standard output. The first record may be on the same line as output of
/// the test harness.
pub(crate) fn records(out: &str) -> Vec<serde_json::Value> {
    out.lines()
        .filter_map(|line| line.find('{').map(|at| &line[at..]))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}
