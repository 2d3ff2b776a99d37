//! The store behind `serve`, from its first start to a move to Elasticsearch, with the command as
//! it is built.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use openreplay_store::{Batch, Outcome, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openreplay-elastic"));
    command.env_clear().args(args);
    command
}

/// A running `serve`; killed when dropped.
struct Serve {
    child: Child,
    /// The first line on standard output.
    started: Value,
}

impl Serve {
    fn start(folder: &Path) -> Self {
        let data = folder.to_str().unwrap();
        let mut child = command(&["serve", "--data", data, "--listen", "127.0.0.1:0", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            started: serde_json::from_str(&line).unwrap(),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.started[name].as_str().unwrap()
    }

    /// Runs another subcommand against it, with OpenReplay's key or the app's.
    fn run(&self, key: &str, args: &[&str]) -> Output {
        let mut command = command(args);
        command.env("ELASTICSEARCH_URL", self.text("url"));
        command.env("ELASTICSEARCH_API_KEY", self.text(key));
        command.output().unwrap()
    }

    fn ship(&self, folder: &Path, file: &str) {
        let shipped = self.ship_as("writer", folder, file);
        assert_eq!(shipped.status.code(), Some(0), "{shipped:?}");
    }

    fn ship_as(&self, key: &str, folder: &Path, pattern: &str) -> Output {
        let checkpoint = folder.join("ship.json");
        let path = folder.join(pattern);
        let args = [
            "ship",
            "--once",
            path.to_str().unwrap(),
            "--checkpoint",
            checkpoint.to_str().unwrap(),
        ];
        self.run(key, &args)
    }

    fn messages(&self) -> Vec<Value> {
        let output = self.run("encoded", &["logs", "42", "--json"]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = found["rows"]
            .as_array()
            .unwrap_or_else(|| panic!("{output:?}"));
        rows.iter().map(|row| row["message"].clone()).collect()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes records of session 42, in reverse time order.
fn write(folder: &Path, file: &str, numbers: std::ops::Range<u32>) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let lines = numbers.rev().map(|number| {
        let time = now.as_secs() / 86_400 * 86_400_000 + u64::from(number);
        let message = format!("[openReplaySession.id=42] record {number:02}");
        format!(
            "{}\n",
            json!({"@timestamp": time, "level": "info", "message": message})
        )
    });
    fs::write(folder.join(file), lines.collect::<String>()).unwrap();
}

fn expected(count: u32) -> Vec<Value> {
    (0..count)
        .map(|number| json!(format!("[openReplaySession.id=42] record {number:02}")))
        .collect()
}

#[test]
fn two_apps_a_kill_and_a_move_lose_nothing_and_keep_the_order() {
    let folder = TempDir::new().unwrap();
    let (here, data) = (folder.path(), folder.path().join("data"));
    write(here, "one.log", 0..20);
    write(here, "two.log", 20..40);
    let serve = Serve::start(&data);
    let first = serve.started.clone();
    serve.ship(here, "one.log");
    // SIGKILL, right after the records were acknowledged
    drop(serve);

    let mut serve = Serve::start(&data);
    assert_eq!(serve.started["encoded"], first["encoded"], "the keys stay");
    serve.ship(here, "two.log");
    assert_eq!(serve.messages(), expected(40));
    let check = serve.run("encoded", &["check", "42"]);
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    for args in [["setup"], ["rotate"]] {
        assert_eq!(serve.run("encoded", &args).status.code(), Some(0));
    }
    let data = data.to_str().unwrap();
    let offline = command(&["logs", "42", "--data", data, "--json"])
        .output()
        .unwrap();
    let offline: Value = serde_json::from_slice(&offline.stdout).unwrap();
    assert_eq!(offline["total"], 40);

    let created = command(&["api-key", "--data", data, "--json"])
        .output()
        .unwrap();
    let created: Value = serde_json::from_slice(&created.stdout).unwrap();
    serve.started["encoded"] = created["encoded"].clone();
    assert_eq!(serve.messages().len(), 40, "a new key is accepted at once");

    let exported = command(&["export", "--data", data]).output().unwrap();
    assert_eq!(
        String::from_utf8(exported.stdout).unwrap().lines().count(),
        40
    );

    let pid = serve.child.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(
        serve.child.wait().unwrap().code(),
        Some(0),
        "SIGTERM stops it cleanly"
    );
}

/// The lines are more than `ship` sends at once, so that no request has a record that is stored.
#[test]
fn a_file_of_records_that_are_too_old_or_too_new_holds_up_no_other() {
    for time in [json!("2020-01-01T00:00:00Z"), json!("2100-01-01T00:00:00Z")] {
        let folder = TempDir::new().unwrap();
        let here = folder.path();
        let serve = Serve::start(&here.join("data"));
        let message = format!("[openReplaySession.id=42] {}", "x".repeat(1_000));
        let line = json!({"@timestamp": time, "level": "info", "message": message});
        fs::write(here.join("app.log.1"), format!("{line}\n").repeat(2_000)).unwrap();
        let shipped = serve.ship_as("writer", here, "app.log.1");
        assert_eq!(shipped.status.code(), Some(6), "{shipped:?}");
        let errors = String::from_utf8(shipped.stderr).unwrap();
        assert!(errors.contains("[@timestamp] is "), "{errors}");

        fs::write(here.join("app.log.2"), format!("{line}\n").repeat(2_000)).unwrap();
        write(here, "app.log", 0..2);
        let shipped = serve.ship_as("writer", here, "app.log*");
        assert_eq!(shipped.status.code(), Some(6), "{shipped:?}");
        assert_eq!(serve.messages(), expected(2));
    }
}

#[test]
fn credentials_that_may_not_write_end_ship_at_its_start() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    write(here, "app.log", 0..2);
    let serve = Serve::start(&here.join("data"));
    let shipped = serve.ship_as("encoded", here, "app.log");
    assert_eq!(shipped.status.code(), Some(1), "{shipped:?}");
    let errors = String::from_utf8(shipped.stderr).unwrap();
    let remedy = "create an API key that may add records with `openreplay-elastic api-key --data DIR --writer`";
    assert!(errors.contains(remedy), "{errors}");
}

/// Such as a proxy or an app without the path under which it should serve Elasticsearch.
#[test]
fn a_404_that_the_engine_did_not_send_is_no_missing_alias() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "app.log", 0..2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/openreplay", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = BufReader::new(client.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && client.read_line(&mut head).unwrap() > 0 {}
            let response =
                "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            client.get_mut().write_all(response.as_bytes()).unwrap();
        }
    });
    let path = folder.path().join("app.log");
    let output = command(&["ship", "--once", path.to_str().unwrap(), "--checkpoint"])
        .arg(folder.path().join("ship.json"))
        .env("ELASTICSEARCH_URL", url)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("check the address"), "{errors}");
    assert!(!errors.contains("openreplay-elastic setup"), "{errors}");
}

#[test]
fn a_client_that_never_finishes_its_request_does_not_change_the_exit_code() {
    let folder = TempDir::new().unwrap();
    let mut serve = Serve::start(folder.path());
    let address = serve.text("url").trim_start_matches("http://").to_owned();
    let mut client = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /logs/_bulk HTTP/1.1\r\nhost: a\r\nauthorization: ApiKey {}\r\ncontent-length: 9\r\n\
         expect: 100-continue\r\n\r\n",
        serve.text("writer")
    );
    client.write_all(head.as_bytes()).unwrap();
    // the server reads the body now
    client.read_exact(&mut [0; 25]).unwrap();
    let pid = serve.child.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(serve.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_one_in_the_same_folder_names_the_first() {
    let folder = TempDir::new().unwrap();
    let serve = Serve::start(folder.path());
    let data = folder.path().to_str().unwrap();
    let second = command(&["serve", "--data", data, "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(3), "{second:?}");
    let output = String::from_utf8(second.stderr).unwrap();
    assert!(
        output.contains(&format!("is in use by process {}", serve.child.id())),
        "{output}"
    );
}

#[test]
fn without_keys_it_listens_on_loopback_only() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let args = [
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        "0.0.0.0:0",
        "--no-keys",
    ];
    let output = command(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!data.exists());
}

#[test]
fn the_first_start_prints_what_goes_where_and_secrets_on_standard_output_only() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    for is_first in [true, false] {
        let mut child = command(&["serve", "--data", data, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = errors.find(|line| {
            line.as_ref()
                .is_ok_and(|line| line.starts_with("listening on http://"))
        });
        assert!(listening.is_some());
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        for word in ["API Key ID", "ELASTICSEARCH_API_KEY="] {
            assert_eq!(out.contains(word), is_first, "{word}: {out}");
        }
    }
}

#[test]
fn a_start_on_a_taken_port_leaves_the_keys_to_the_next_one() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = [
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        &address,
    ];
    let output = command(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!data.exists());
}

#[test]
fn a_key_is_not_created_where_there_is_no_store() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("typo");
    for folder in [&*data, folder.path()] {
        let args = ["api-key", "--data", folder.to_str().unwrap()];
        let output = command(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains("contains no store; pass the folder"),
            "{error}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_key_is_created_for_a_store_that_is_restored_from_the_files_of_its_days() {
    for (file, code) in [
        ("2026-07-01.sqlite", 0),
        ("2026-07-01-no-session.sqlite", 0),
        ("shop.sqlite", 2),
        ("2026-07-01.log", 2),
    ] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(file), "").unwrap();
        let args = ["api-key", "--data", folder.path().to_str().unwrap()];
        let output = command(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{file}: {output:?}");
    }
}

#[test]
fn a_key_of_a_store_is_not_requested_over_http() {
    let folder = TempDir::new().unwrap();
    let serve = Serve::start(folder.path());
    for key in ["encoded", "writer"] {
        let output = serve.run(key, &["api-key", "--writer"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            errors.contains("`openreplay-elastic api-key --data DIR`"),
            "{errors}"
        );
    }
}

#[test]
fn keys_in_clear_text_are_a_warning() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    for (listen, warns) in [("127.0.0.1:0", false), ("0.0.0.0:0", true)] {
        let mut child = command(&["serve", "--data", data, "--listen", listen])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let mut lines = errors.lines().map(Result::unwrap);
        let before: Vec<_> = lines
            .by_ref()
            .take_while(|line| !line.starts_with("listening on"))
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(
            before.join("\n").contains("in clear text"),
            warns,
            "{listen}: {before:?}"
        );
    }
}

/// A store with a record of session 42 in each of three days, the first of which is damaged.
fn with_damaged_day() -> TempDir {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut batch = Batch::new();
    for day in 0..3 {
        let time = (now - day * 86_400) * 1_000;
        let line = json!({"@timestamp": time, "message": "[openReplaySession.id=42] m"});
        batch.create(Some("a"), line.to_string());
    }
    let outcomes = store.write(batch).unwrap();
    assert!(outcomes.iter().all(Outcome::is_stored), "{outcomes:?}");
    drop(store);
    let files = fs::read_dir(folder.path()).unwrap();
    let mut days: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    days.retain(|path| path.extension().is_some_and(|ending| ending == "sqlite"));
    fs::write(&days[0], vec![b'x'; 40_000]).unwrap();
    folder
}

#[test]
fn logs_of_a_damaged_day_are_incomplete() {
    let folder = with_damaged_day();
    let data = folder.path().to_str().unwrap();
    for (session, rows) in [("42", 2), ("77", 0)] {
        let args = ["logs", session, "--data", data, "--json"];
        let output = command(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(8), "{output:?}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["rows"].as_array().map(Vec::len), Some(rows));
        let why = found["incomplete"].as_str().unwrap();
        assert!(why.contains("is damaged"), "{why}");
    }
}

#[test]
fn an_export_without_a_damaged_day_fails_and_counts_what_it_wrote() {
    let folder = with_damaged_day();
    let data = folder.path().to_str().unwrap();
    let exported = command(&["export", "--data", data]).output().unwrap();
    assert_eq!(exported.status.code(), Some(7), "{exported:?}");
    assert_eq!(
        exported
            .stdout
            .split_inclusive(|byte| *byte == b'\n')
            .count(),
        2
    );
    let errors = String::from_utf8(exported.stderr).unwrap();
    assert!(
        errors.contains("is damaged") && errors.contains("2 records from "),
        "{errors}"
    );
}

#[test]
fn an_export_has_one_line_per_record_and_changes_none() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let lines = [
        "{\"level\":\"info\",\"@timestamp\":1,\"message\":\"1\"}\r",
        "{\r\"level\":\"info\",\t\"@timestamp\":2 , \"message\":\"2\\r\\n\"}",
        "{\n\"level\":\"info\",\r\n\"@timestamp\":3,\"message\":\"3\"}",
    ];
    let mut batch = Batch::new();
    for (id, line) in ["1", "2", "3"].into_iter().zip(lines) {
        batch.create(Some(id), line);
    }
    let outcomes = store.write(batch).unwrap();
    assert!(outcomes.iter().all(Outcome::is_stored), "{outcomes:?}");

    let data = folder.path().to_str().unwrap();
    let exported = command(&["export", "--data", data]).output().unwrap();
    let exported = String::from_utf8(exported.stdout).unwrap();
    let exported: Vec<_> = exported.split_terminator('\n').collect();
    assert_eq!(exported[..2], lines[..2]);
    assert_eq!(exported[2], lines[2].replace('\n', " "));
}
