//! What is on a terminal and what is not, under util-linux's `script`, which gives the command one.

#![cfg(unix)]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

const SESSION: &str = "4950498349085463837";

/// Runs `logs` on a file of one record a level; gives its standard output and error, together where
/// they are a terminal.
fn logs(on_terminal: bool, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    let records = ["error", "warning", "info", "debug"].map(|level| {
        json!({
            "@timestamp": "2026-07-01T10:00:00Z",
            "level": level,
            "message": format!("[openReplaySession.id={SESSION}] \u{1b}[32m{level}"),
        })
        .to_string()
    });
    fs::write(&file, records.join("\n") + "\nnot json\n").unwrap();
    let line = r#""$PROGRAM" logs "$SESSION" --file "$FILE""#;
    let mut command = if on_terminal {
        Command::new("script")
    } else {
        Command::new("sh")
    };
    if on_terminal {
        command.args(["-qec", line, "/dev/null"])
    } else {
        command.args(["-c", &format!("{line} 2>&1 | cat")])
    };
    // the other variables that switch colours on or off; a runner of tests may set them
    for name in ["CI", "CLICOLOR", "CLICOLOR_FORCE", "NO_COLOR"] {
        command.env_remove(name);
    }
    let output = command
        .env("TERM", "xterm")
        .env("PROGRAM", env!("CARGO_BIN_EXE_openreplay-elastic"))
        .env("SESSION", SESSION)
        .env("FILE", file)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("script is installed");
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.matches(SESSION).count(), 4, "{output:?}");
    assert!(output.contains("1 line is not a JSON object"), "{output:?}");
    // nothing of a record steers the terminal
    assert!(!output.contains("\u{1b}[32m"), "{output:?}");
    output
}

#[test]
#[ignore = "needs script"]
fn a_terminal_shows_errors_and_warnings_in_colours() {
    let output = logs(true, &[]);
    let style_of = |level: &str| {
        let at = output.find(&format!("{level:<7}\u{1b}[0m")).unwrap();
        let from = output[..at].rfind("  ").unwrap();
        &output[from + 2..at]
    };
    assert_eq!(style_of("error"), "\u{1b}[1m\u{1b}[31m", "{output:?}");
    assert_eq!(style_of("warning"), "\u{1b}[33m", "{output:?}");
    assert_eq!(style_of("debug"), "\u{1b}[2m", "{output:?}");
    assert!(output.contains("  info     ["), "{output:?}");
}

#[test]
#[ignore = "needs script"]
fn no_colours_where_they_are_not_wanted_or_there_is_no_terminal() {
    for output in [
        logs(true, &[("NO_COLOR", "1")]),
        logs(true, &[("TERM", "dumb")]),
        logs(false, &[]),
    ] {
        assert!(!output.contains('\u{1b}'), "{output:?}");
        assert!(output.contains("  error    ["), "{output:?}");
    }
}
