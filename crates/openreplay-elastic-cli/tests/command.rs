//! The built command, as far as it goes without Elasticsearch; with one it is tested in the
//! workspace's `tests/engine`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

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

/// Words that start with two dashes in the README's table, by subcommand.
fn options_in_readme(subcommand: &str) -> Vec<String> {
    let readme = include_str!("../README.md");
    let row = readme.lines().find_map(|line| {
        let form = line.strip_prefix("| `")?.strip_prefix(subcommand)?;
        (form.starts_with([' ', '`'])).then_some(form)
    });
    let row = row.unwrap_or_else(|| panic!("README.md has no row for {subcommand}"));
    let word = |c: char| c == '-' || c.is_ascii_lowercase();
    row.split(|c| !word(c))
        .filter(|word| word.starts_with("--"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_names_every_subcommand_exit_code_and_variable_of_the_readme() {
    let output = run(&["--help"]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    for name in SUBCOMMANDS {
        assert!(
            output.out.contains(&format!("\n  {name} ")),
            "{name}: {}",
            output.out
        );
    }
    for code in 0..=8 {
        assert!(
            output.out.contains(&format!("\n  {code}  ")),
            "{code}: {}",
            output.out
        );
    }
    for text in [
        "takes precedence over ELASTICSEARCH_USER",
        "5 seconds",
        "30 seconds",
    ] {
        assert!(output.out.contains(text), "{text}: {}", output.out);
    }
    for name in ["URL", "API_KEY", "USER", "PASSWORD", "CLOUD_ID"] {
        assert!(
            output.out.contains(&format!("\n  ELASTICSEARCH_{name} ")),
            "{name}: {}",
            output.out
        );
    }
}

#[test]
fn the_version_names_the_command() {
    let version = concat!("openreplay-elastic ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["--version"]).out, version);
    let version = concat!("openreplay-elastic-ship ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["ship", "--version"]).out, version);
}

#[test]
fn completions_and_man_pages_name_every_subcommand() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell]);
        assert_eq!((output.code, &output.err[..]), (Some(0), ""), "{shell}");
        for name in SUBCOMMANDS {
            assert!(output.out.contains(name), "{shell}: {name}");
        }
        assert!(output.out.contains("request-timeout"), "{shell}");
    }
    let whole = run(&["man"]);
    assert!(whole.out.contains(".TH openreplay-elastic 1"), "{whole:?}");
    for name in SUBCOMMANDS {
        let page = name.replace('-', "\\-");
        assert!(whole.out.contains(&page), "{name}: {}", whole.out);
        let output = run(&["man", name]);
        let title = format!(".TH openreplay-elastic-{name} 1");
        assert!(output.out.contains(&title), "{output:?}");
    }
    assert_eq!(run(&["man", "repair"]).code, Some(2));
}

#[test]
fn an_elastic_cloud_id_stands_for_an_address() {
    // The host of the id is one that no resolver knows.
    let id = "mine:Y2xvdWQuaW52YWxpZCRhYmMkZGVm";
    for output in [
        run(&["--cloud-id", id, "setup"]),
        run_with(&[("ELASTICSEARCH_CLOUD_ID", id)], &["setup"]),
    ] {
        assert_eq!(output.code, Some(1), "{output:?}");
        let host = "https://abc.cloud.invalid:443 is unreachable";
        assert!(output.err.contains(host), "{output:?}");
    }
    let both = ["--cloud-id", id, "--url", "http://127.0.0.1:1", "setup"];
    assert_eq!(run(&both).code, Some(2));
}

#[test]
fn help_of_each_subcommand_names_the_options_of_the_readme() {
    let mut named = 0;
    for name in SUBCOMMANDS {
        let output = run(&[name, "--help"]);
        assert_eq!((output.code, &output.err[..]), (Some(0), ""), "{name}");
        for option in options_in_readme(name).iter().map(String::as_str).chain([
            "--url",
            "--ca-cert",
            "--json",
        ]) {
            assert!(
                output.out.contains(option),
                "{name} {option}: {}",
                output.out
            );
            named += 1;
        }
    }
    assert!(
        named > 3 * SUBCOMMANDS.len(),
        "the README's table names no option"
    );
}

#[test]
fn the_help_of_each_option_with_a_value_has_its_default() {
    for name in SUBCOMMANDS {
        let output = run(&[name, "--help"]);
        let options = output.out.split("Connection:").next().unwrap();
        for option in options.split("\n      --").skip(1) {
            let takes_value = option.lines().next().unwrap().contains('<');
            // its --file is there instead of Elasticsearch
            let has_none = name == "logs";
            let text = option.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                !takes_value || has_none || text.contains("[default: "),
                "{name} --{option}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_rejected_and_not_repeated() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    for name in ["URL", "API_KEY", "USER", "PASSWORD"] {
        let name = format!("ELASTICSEARCH_{name}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_openreplay-elastic"));
        command
            .env_clear()
            .env("ELASTICSEARCH_URL", "http://127.0.0.1:1")
            .env(&name, OsStr::from_bytes(b"not-to-be-seen\xff"));
        let output = CommandOutput::from(command.arg("setup").output().unwrap());
        assert_eq!(output.code, Some(2), "{name}: {output:?}");
        let text = format!("error: {name} is not UTF-8: correct it or unset it\n");
        assert_eq!(output.err, text);
    }
}

#[test]
fn a_reader_that_closes_the_pipe_does_not_change_the_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    records(&path);
    let file = path.to_str().unwrap();
    for (args, code) in [
        (&["check"][..], 4),
        (&["check", "--json"], 4),
        (&["setup", "--json"], 1),
        (&["logs", "8", "--json", "--file", file], 5),
        (&["logs", SESSION, "--file", file], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = Command::new(env!("CARGO_BIN_EXE_openreplay-elastic"))
            .env_clear()
            .args(["--url", "http://127.0.0.1:1"])
            .args(args)
            .stdout(writer)
            .stderr(std::process::Stdio::null())
            .status();
        assert_eq!(status.unwrap().code(), Some(code), "{args:?}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_is_reported_on_standard_error() {
    let url = ["--url", "http://127.0.0.1:1"];
    for (args, text) in [
        (&["logs"][..], "<SESSION>"),
        (&["ship"], "<FILE>"),
        (&["repair"], "repair"),
        (&["setup", "--quickly"], "--quickly"),
        (&["ship", "--gzip", "10", "app.log"], "10"),
        (&["rotate", "--max-age", "soon"], "soon"),
        (&["api-key", "--writer", "--documented"], "--documented"),
        (&["api-key", "--read"], "--writer"),
        (&["api-key", "--expires-in", "0d"], "expires at once"),
        (
            &["--url", "http://127.0.0.1:99999", "setup"],
            "no port from 1 to 65535",
        ),
        (&["--request-timeout", "0s", "setup"], "1s to 1h"),
        (&["--request-timeout", "61m", "setup"], "1s to 1h"),
        (&["--request-timeout", "ten", "setup"], "30m or 45s"),
        (&["--client-cert", "c.pem", "setup"], "--client-key"),
        (
            &["--ca-cert", "/nowhere/ca.pem", "setup"],
            "/nowhere/ca.pem cannot be read",
        ),
        (
            &["--user", "x", "--password-file", "/dev/null", "setup"],
            "/dev/null is empty",
        ),
        (&["setup", "--also", "a b"], "cannot be an index's name"),
        (
            &["ship", "--checkpoint", "/dev/full", "app.log"],
            "/dev/full is not a regular file",
        ),
        (
            &["ship", "--checkpoint", "/tmp", "app.log"],
            "/tmp is not a regular file",
        ),
        (
            &["ship", "--checkpoint", "/tmp/none/ship.json", ""],
            "a file without a name",
        ),
        (&["--user", "elastic", "setup"], "ELASTICSEARCH_PASSWORD"),
        (
            &[
                "--user",
                "x",
                "--password-file",
                "/nowhere/password",
                "setup",
            ],
            "/nowhere/password cannot be read",
        ),
    ] {
        let output = run(&[&url[..], args].concat());
        assert_eq!(
            (output.code, &output.out[..]),
            (Some(2), ""),
            "{args:?}: {output:?}"
        );
        assert!(output.err.contains(text), "{args:?}: {output:?}");
    }
}

#[test]
fn without_an_address_the_error_shows_how_to_set_one() {
    let commands: [&[&str]; 6] = [
        &["setup"],
        &["api-key"],
        &["check"],
        &["logs", SESSION],
        &["rotate"],
        &[
            "ship",
            "--once",
            "--checkpoint",
            "/nowhere/ship.json",
            "app.log",
        ],
    ];
    for args in commands {
        let output = run(args);
        assert_eq!(
            (output.code, &output.out[..]),
            (Some(2), ""),
            "{args:?}: {output:?}"
        );
        let text = "error: no address: pass --url or set ELASTICSEARCH_URL, such as http://localhost:9200\n";
        assert_eq!(output.err, text, "{args:?}");
    }
}

#[test]
fn a_password_in_an_address_is_rejected_and_not_repeated() {
    let address = format!("http://elastic:{SECRET}@127.0.0.1:1");
    for output in [
        run(&["--url", &address, "setup"]),
        run(&["check", "--url", &address, "--json"]),
    ] {
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.err.contains("ELASTICSEARCH_PASSWORD"), "{output:?}");
        assert!(!format!("{output:?}").contains(SECRET), "{output:?}");
    }
}

#[test]
fn no_secret_is_repeated_where_elasticsearch_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, SECRET).unwrap();
    let file = file.to_str().unwrap();
    let key_file = folder.path().join("key");
    fs::write(&key_file, ENCODED).unwrap();
    let key_file = key_file.to_str().unwrap();
    let user = [
        ("ELASTICSEARCH_USER", "elastic"),
        ("ELASTICSEARCH_PASSWORD", SECRET),
    ];
    let key = [("ELASTICSEARCH_API_KEY", ENCODED)];
    let by_file = ["--user", "elastic", "--password-file", file];
    for (variables, options) in [
        (&user[..], &[][..]),
        (&key, &[]),
        (&[], &by_file),
        (&[], &["--api-key-file", key_file]),
    ] {
        for subcommand in [
            &["setup"][..],
            &["api-key", "--json"],
            &["logs", SESSION],
            &["rotate"],
        ] {
            let args = [&["--url", "http://127.0.0.1:1"], options, subcommand].concat();
            let output = run_with(variables, &args);
            assert_eq!(output.code, Some(1), "{args:?}: {output:?}");
            assert_eq!(
                output.out.is_empty(),
                !args.contains(&"--json"),
                "{output:?}"
            );
            assert!(output.err.starts_with("error: "), "{args:?}: {output:?}");
            let all = format!("{output:?}");
            assert!(!all.contains(SECRET) && !all.contains(ENCODED), "{all}");
        }
    }
}

#[test]
fn takes_no_token_for_a_session_and_repeats_none() {
    let long = "7".repeat(65);
    for text in [
        "3kw.1.mz.9QcTsig",
        "",
        "7 8",
        "a\u{1b}[31m",
        "\"}]",
        long.as_str(),
    ] {
        for args in [
            &["check", text][..],
            &["logs", text],
            &["logs", "--json", text],
        ] {
            let output = run(&[&["--url", "http://127.0.0.1:1"], args].concat());
            assert_eq!(output.code, Some(2), "{args:?}: {output:?}");
            assert!(output.err.contains("tracker.getSessionID()"), "{output:?}");
            let all = format!("{}{}", output.out, output.err);
            assert!(text.is_empty() || !all.contains(text), "{all}");
        }
    }
}

#[test]
fn a_checkpoint_that_cannot_be_kept_ends_with_1_and_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/ship.json");
    let args = ["ship", "--checkpoint", path.to_str().unwrap(), "app.log"];
    let output = run(&[&["--url", "http://127.0.0.1:1"], &args[..]].concat());
    assert_eq!((output.code, &output.out[..]), (Some(1), ""), "{output:?}");
    assert!(
        output
            .err
            .contains("give it a folder that can be written to"),
        "{output:?}"
    );
}

#[test]
fn an_error_is_one_json_object_too() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("ship.json");
    fs::write(&garbage, "garbage").unwrap();
    let garbage = garbage.to_str().unwrap();
    let url = ["--json", "--url", "http://127.0.0.1:1"];
    for (args, code, kind, precondition) in [
        (&["setup"][..], 1, "unreachable", Value::Null),
        (&["api-key"], 1, "unreachable", Value::Null),
        (&["rotate"], 1, "unreachable", Value::Null),
        (&["rotate", "--keep", "1m"], 2, "usage", Value::Null),
        (&["rotate", "--keep", "soon"], 2, "usage", Value::Null),
        (&["repair"], 2, "usage", Value::Null),
        (
            &["logs", "1", "--file", "/nowhere/app.log"],
            1,
            "io",
            Value::Null,
        ),
        (
            &["ship", "a.log", "--checkpoint", garbage],
            3,
            "precondition",
            json!("checkpoint-unreadable"),
        ),
    ] {
        let output = run(&[&url[..], args].concat());
        assert_eq!(output.code, Some(code), "{args:?}: {output:?}");
        assert_eq!(output.out.lines().count(), 1, "{args:?}: {output:?}");
        let response: Value = serde_json::from_str(&output.out).unwrap();
        let error = &response["error"];
        assert_eq!(
            (&error["kind"], &error["precondition"]),
            (&json!(kind), &precondition),
            "{args:?}: {output:?}"
        );
        let text = error["text"].as_str().unwrap();
        assert!(!text.is_empty() && output.err.contains(text), "{output:?}");
    }
    // the requested help is no error
    let output = run(&["--json", "--help"]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let output = run(&["--json", "check", "--url", "http://127.0.0.1:1"]);
    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!((output.code, &report["good"]), (Some(4), &json!(false)));
}

#[test]
fn a_key_that_is_not_encoded_is_rejected_and_not_repeated() {
    let key = [("ELASTICSEARCH_API_KEY", SECRET)];
    let output = run_with(&key, &["--url", "http://127.0.0.1:1", "check"]);
    assert_eq!((output.code, &output.out[..]), (Some(2), ""));
    assert!(
        output.err.contains("`encoded`") && !output.err.contains(SECRET),
        "{output:?}"
    );
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

#[test]
fn logs_and_check_reject_what_a_page_sends_without_an_id() {
    for text in ["undefined", "null", "NaN"] {
        for args in [["check", text], ["logs", text]] {
            let output = run(&[&["--url", "http://127.0.0.1:1"], &args[..]].concat());
            assert_eq!(output.code, Some(2), "{args:?}: {output:?}");
            assert!(output.err.contains("not a session id"), "{output:?}");
        }
    }
}

#[test]
fn logs_reports_an_id_that_openreplay_never_queries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let ids = [
        "0",
        "7",
        "18446744073709551615",
        "007",
        "18446744073709551616",
        "own-id",
    ];
    let lines = ids.map(|id| {
        json!({"@timestamp": "2026-07-01T12:00:00Z", "level": "info", "message": format!("openReplaySession.id={id}")}).to_string()
    });
    std::fs::write(&path, lines.join("\n")).unwrap();
    for (nth, id) in ids.into_iter().enumerate() {
        let output = run(&["logs", id, "--file", path.to_str().unwrap()]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(
            output.err.contains("OpenReplay never requests"),
            nth >= 3,
            "{output:?}"
        );
    }
}

#[test]
fn logs_shows_the_rows_of_a_file_without_elasticsearch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    records(&path);
    let file = path.to_str().unwrap();

    let output = run(&["logs", SESSION, "--file", file]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let rows: Vec<_> = output.out.lines().collect();
    assert_eq!(rows.len(), 2, "{output:?}");
    assert!(
        rows[0].contains("info") && rows[0].ends_with("paid"),
        "{output:?}"
    );
    assert!(
        rows[1].contains("error") && rows[1].ends_with("not \\u{1b}[31mpaid"),
        "{output:?}"
    );

    let opened = run(&["logs", SESSION, "--file", file, "--open"]);
    assert!(opened.out.contains(" in full\n"), "{opened:?}");

    let output = run(&["--json", "logs", SESSION, "--file", file]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        (&response["session"], &response["total"]),
        (&json!(SESSION), &json!(2))
    );
    assert_eq!(response["rows"][1]["level"], "error");
    assert_eq!(response["rows"].as_array().map(Vec::len), Some(2));
}

/// Programs read these: a changed name is a breaking change.
#[test]
fn what_is_printed_for_programs_is_the_same_in_every_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let line = r#"{"@timestamp":"2026-07-01T12:00:00Z","level":"error","message":"openReplaySession.id=7"}"#;
    std::fs::write(&path, line).unwrap();
    let url = ["--json", "--url", "http://127.0.0.1:1"];
    let args = |args: &[&'static str]| [&url, args].concat();
    let logs = ["--json", "logs", "7", "--file", path.to_str().unwrap()];
    let nothing = args(&["setup"]);
    let check = args(&["check"]);
    let usage = args(&["logs", "undefined"]);
    for (args, members) in [
        (
            &logs[..],
            "incomplete rows[level message time] session total",
        ),
        (
            &nothing,
            "error.because error.kind error.precondition error.reason error.remedy error.status error.text error.type",
        ),
        (
            &usage,
            "error.because error.kind error.precondition error.reason error.remedy error.status error.text error.type",
        ),
        (
            &check,
            "add_passes findings[fault hint remedy text] good records session unexamined",
        ),
    ] {
        let output = run(args);
        let response: Value = serde_json::from_str(&output.out).unwrap();
        assert_eq!(shape(&response).join(" "), members, "{output:?}");
    }
    let output = run(&logs);
    let expected = json!({"session": "7", "total": 1, "incomplete": null, "rows": [
        {"time": "2026-07-01T12:00:00Z", "level": "error", "message": "openReplaySession.id=7"},
    ]});
    assert_eq!(
        serde_json::from_str::<Value>(&output.out).unwrap(),
        expected
    );
}

/// The names in a response: of a list, those of its first element.
fn shape(value: &Value) -> Vec<String> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let names = members.iter().flat_map(|(name, value)| match value {
        Value::Object(_) => shape(value)
            .into_iter()
            .map(|one| format!("{name}.{one}"))
            .collect(),
        Value::Array(all) if all.first().is_some_and(Value::is_object) => {
            vec![format!("{name}[{}]", shape(&all[0]).join(" "))]
        }
        _ => vec![name.clone()],
    });
    names.collect()
}

#[test]
fn logs_shows_the_rows_of_files_as_the_panel_would() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, records: &[Value]| {
        let path = folder.path().join(name);
        let lines: Vec<_> = records.iter().map(Value::to_string).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let record = |n: usize, message: &str| {
        let time = format!("2026-07-01T10:{:02}:{:02}Z", n / 60, n % 60);
        let message = format!("{message} openReplaySession.id={SESSION}");
        json!({"@timestamp": time, "level": "info", "message": message})
    };
    let late: Vec<_> = (1..1_001).map(|n| record(n, "late")).collect();
    let late = file("late.log", &late);
    let early = file("early.log", &[record(0, "openReplaySession.id=7,")]);

    let output = run(&["--json", "logs", SESSION, "--file", &late, "--file", &early]);
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!((output.code, &response["total"]), (Some(0), &json!(1_001)));
    let rows = response["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1_000);
    let first = rows[0]["message"].as_str().unwrap();
    assert!(first.starts_with("openReplaySession.id=7,"), "{first}");
    let output = run(&["logs", SESSION, "--file", &late, "--file", &early]);
    assert!(
        output.err.contains("these 1000 of 1001 records"),
        "{}",
        output.err
    );

    let mut bare = record(1, "m");
    bare.as_object_mut().unwrap().remove("level");
    let broken = file("broken.log", &[record(0, "m"), bare]);
    let output = run(&["--json", "logs", SESSION, "--file", &broken]);
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        (output.code, &response["error"]["kind"]),
        (Some(1), &json!("panel"))
    );
    assert!(output.err.contains("record 2 has no `level`"), "{output:?}");
}

#[test]
fn logs_ends_with_5_where_no_record_is_of_the_session_and_with_1_where_there_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    records(&path);
    let file = path.to_str().unwrap();

    let output = run(&["logs", "8", "--file", file, "--json"]);
    assert_eq!(output.code, Some(5), "{output:?}");
    let response: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(
        response,
        json!({"session": "8", "total": 0, "rows": [], "incomplete": null})
    );
    assert!(
        output.err.starts_with("no record of session 8;"),
        "{output:?}"
    );

    let output = run(&["logs", "8", "--file", "/nowhere/app.log"]);
    assert_eq!((output.code, &output.out[..]), (Some(1), ""));
    assert!(
        output.err.contains("/nowhere/app.log cannot be read"),
        "{output:?}"
    );
}

#[test]
fn a_user_who_was_passed_over_for_a_key_is_named_where_the_key_may_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
            while head.next().is_some_and(|line| !line.is_empty()) {}
            let body = r#"{"error":{"type":"security_exception","reason":"as told"},"status":403}"#;
            let response = format!(
                "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = (&stream).write_all(response.as_bytes());
        }
    });
    let key = ("ELASTICSEARCH_API_KEY", "YTpi");
    let user = ("ELASTICSEARCH_USER", "elastic");
    let password = ("ELASTICSEARCH_PASSWORD", "not-to-be-seen");
    for (variables, is_named) in [
        (&[key, user, password][..], true),
        (&[key], false),
        (&[user, password], false),
    ] {
        let output = run_with(variables, &["--url", &url, "setup"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        let hint =
            "because: ELASTICSEARCH_API_KEY is set and takes precedence over ELASTICSEARCH_USER";
        assert_eq!(output.err.contains(hint), is_named, "{output:?}");
    }
}

#[test]
fn logs_reports_the_faults_of_records_in_the_words_of_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let id = format!("openReplaySession.id={SESSION}");
    let time = "2026-07-01T10:00:00Z";
    let tracing =
        json!({"timestamp": time, "level": "INFO", "fields": {"message": id}, "target": "shop"});
    for (record, code, text) in [
        (
            json!({"level": "info", "message": id}),
            8,
            "wrong  1 of 1 records has no `@timestamp` that the panel can read - write `@timestamp` as RFC 3339",
        ),
        (
            json!({"@timestamp": time, "message": id}),
            1,
            "wrong  1 of 1 records has no `level` - give every record a `level`",
        ),
        (
            json!({"@timestamp": time, "level": "WARN", "message": id}),
            0,
            "hint   1 of 1 records has a `level` that the panel reads as info",
        ),
        (
            tracing,
            5,
            "wrong  1 of 1 records is in tracing's own JSON form",
        ),
    ] {
        fs::write(&path, record.to_string()).unwrap();
        let output = run(&["logs", SESSION, "--file", path.to_str().unwrap()]);
        assert_eq!(output.code, Some(code), "{output:?}");
        assert!(output.err.contains(text), "{output:?}");
    }
}

#[test]
fn credentials_over_http_to_another_machine_are_a_warning() {
    // a name that nothing resolves
    let remote = "http://elastic.invalid:9200";
    let key = [("ELASTICSEARCH_API_KEY", ENCODED)];
    for (url, variables, warns) in [
        (remote, &key[..], true),
        ("https://elastic.invalid:9200", &key, false),
        ("http://127.0.0.1:1", &key, false),
        ("http://localhost:1", &key, false),
        ("http://[::1]:1", &key, false),
        (remote, &[], false),
    ] {
        let output = run_with(variables, &["--url", url, "rotate"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        let warning =
            format!("warning: the credentials are sent to {url} in clear text; use https\n");
        assert_eq!(output.err.starts_with(&warning), warns, "{output:?}");
    }
}
