//! Tests of what holds for a whole process: each runs its program once more.

use std::{
    env,
    process::{Command, Output},
};

const CHILD: &str = "TRACING_OPENREPLAY_CHILD";

/// Returns the command that runs the calling test once more, in a process of its own, where `run`
/// is called.
///
/// Returns `None` there.
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

/// The same with these variables: what became of that process.
pub(crate) fn child(test: &str, variables: &[(&str, &str)], run: impl FnOnce()) -> Option<Output> {
    let mut child = command(test, run)?;
    Some(child.envs(variables.iter().copied()).output().unwrap())
}

/// What `run` writes on standard output and standard error in a process of its own, which has to
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

/// The same without variables.
pub(crate) fn alone(test: &str, run: impl FnOnce()) -> Option<(String, String)> {
    alone_with(test, &[], run)
}

/// The lines of our own on standard error.
pub(crate) fn diagnostics(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines();
    lines
        .filter(|line| line.starts_with("tracing-openreplay: "))
        .collect()
}

/// The records on standard output; the first may follow what the test harness wrote on the same
/// line.
pub(crate) fn records(out: &str) -> Vec<serde_json::Value> {
    out.lines()
        .filter_map(|line| line.find('{').map(|at| &line[at..]))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}
