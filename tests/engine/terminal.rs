//! How far `ship --once` is, on a terminal: under util-linux's `script`, which gives it one.

use std::fs;
use std::process::{Command, Stdio};

use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{CommandOutput, Elasticsearch, openreplay_elastic};

use crate::record;

#[test]
#[ignore = "needs Elasticsearch, script"]
fn ship_once_shows_how_far_it_is_on_a_terminal_only() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    let lines: Vec<_> = (0..20_000)
        .map(|n| record("7", "info", &format!("{n}")).to_string())
        .collect();
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    let run = |program: &str, args: &[&str], checkpoint: &str| {
        let mut command = Command::new(program);
        command
            .args(args)
            .env("TERM", "xterm")
            .env("PROGRAM", openreplay_elastic().get_program())
            .env("FILE", &file)
            .env("CHECKPOINT", folder.path().join(checkpoint))
            .env("ELASTICSEARCH_URL", engine.url())
            .env("ELASTICSEARCH_USER", USER)
            .env("ELASTICSEARCH_PASSWORD", PASSWORD)
            .stdin(Stdio::null());
        let output = CommandOutput::of(&mut command);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(
            output.out.contains("20000 records are stored"),
            "{output:?}"
        );
        output
    };
    let line = r#""$PROGRAM" ship --once --checkpoint "$CHECKPOINT" "$FILE""#;
    let shown = run("script", &["-qec", line, "/dev/null"], "one.json");
    // bar, bytes done and in all, speed, time left
    let bar = shown.out.split('\r').find(|part| part.contains(" left, "));
    let bar = bar.unwrap_or_else(|| panic!("{shown:?}"));
    assert!(
        bar.contains("MiB") && bar.contains("/s, ") && bar.contains(" records"),
        "{bar:?}"
    );
    let piped = run("sh", &["-c", line], "two.json");
    assert!(
        !piped.out.contains('\u{1b}') && piped.err.is_empty(),
        "{piped:?}"
    );
}
