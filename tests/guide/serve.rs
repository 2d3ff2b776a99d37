//! What docs/without-elasticsearch.md promises of `openreplay-elastic serve`, where it is hard to
//! keep.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use integration_tests::{CommandOutput, Serve, openreplay_elastic, tls};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::SESSION;

#[test]
fn over_tls_clients_that_trust_the_authority_add_and_read_records() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("ca.pem"),
        tls::write_certificate(folder.path(), "127.0.0.1"),
    )
    .unwrap();
    let serve = Serve::run(
        openreplay_elastic()
            .args(["serve", "--data"])
            .arg(path("data"))
            .arg("--tls-cert")
            .arg(path("certificate.pem"))
            .arg("--tls-key")
            .arg(path("key.pem")),
    );
    assert!(
        serve.url().starts_with("https://"),
        "{:?}",
        serve.started["url"]
    );
    fs::write(path("app.log"), record(1) + "\n").unwrap();
    let run = |authority: Option<&str>, key: &str, args: &[&str]| {
        let mut command = openreplay_elastic();
        command
            .current_dir(folder.path())
            .args(["--url", serve.url()]);
        if let Some(authority) = authority {
            command.args(["--ca-cert", authority]);
        }
        CommandOutput::of(
            command
                .args(args)
                .env("ELASTICSEARCH_API_KEY", serve.text(key)),
        )
    };
    let ship = ["ship", "--once", "app.log", "--checkpoint", "ship.json"];
    let untrusted = run(None, "writer", &ship);
    assert_ne!(untrusted.code, Some(0));
    assert!(untrusted.err.contains("certificate"), "{untrusted:?}");
    let shipped = run(Some("ca.pem"), "writer", &ship);
    assert_eq!(shipped.code, Some(0), "{shipped:?}");
    let rows = run(Some("ca.pem"), "encoded", &["logs", SESSION]);
    assert!(rows.out.contains("record 1"), "{rows:?}");
}

#[test]
#[ignore = "needs root, for a process namespace"]
fn as_process_1_it_stops_on_sigterm_and_keeps_what_it_acknowledged() {
    let folder = TempDir::new().unwrap();
    let serve = openreplay_elastic();
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(serve.get_program())
        .args(["serve", "--data"])
        .arg(folder.path());
    let serve = Serve::run(&mut command);
    assert_eq!(store(&serve, 0..10), [201; 10]);
    let lock = fs::read_to_string(folder.path().join("lock")).unwrap();
    assert_eq!(lock, "process 1 (openreplay-elastic)");

    let inside =
        CommandOutput::of(Command::new("pgrep").args(["--parent", &serve.pid().to_string()]));
    let stopped = Command::new("kill")
        .args(["-TERM", inside.out.trim()])
        .status();
    assert!(stopped.unwrap().success());
    assert_eq!(serve.end().code(), Some(0));
    assert_eq!(stored(&Serve::start(folder.path())).len(), 10);
}

/// A file system of so many bytes in a folder; needs root.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn mount(folder: &'a Path, size: &str) -> Self {
        let small = Self(folder);
        small.run(&[
            "mount",
            "-t",
            "tmpfs",
            "-o",
            &format!("size={size}"),
            "tmpfs",
        ]);
        small
    }

    fn resize(&self, size: &str) {
        self.run(&["mount", "-o", &format!("remount,size={size}")]);
    }

    fn run(&self, command: &[&str]) {
        let output = CommandOutput::of(Command::new(command[0]).args(&command[1..]).arg(self.0));
        assert_eq!(output.code, Some(0), "{command:?}: {output:?}");
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
#[ignore = "needs root, for a small file system"]
fn on_a_full_disk_records_are_rejected_until_there_is_space_and_none_is_lost() {
    let folder = TempDir::new().unwrap();
    let small = Small::mount(folder.path(), "3m");
    let serve = Serve::start(folder.path());
    let (mut acknowledged, mut rejected) = (BTreeSet::new(), Vec::new());
    let mut full = 0;
    for start in (0..).step_by(200) {
        let numbers = start..start + 200;
        for (number, status) in numbers.clone().zip(store(&serve, numbers)) {
            match status {
                201 => drop(acknowledged.insert(number)),
                429 => rejected.push(number),
                other => panic!("record {number}: {other}"),
            }
        }
        full += usize::from(!rejected.is_empty());
        // it goes on rejecting, and reading
        if full == 5 {
            break;
        }
        assert!(start < 100_000, "the disk does not fill up");
    }
    assert!(!acknowledged.is_empty());
    // OpenReplay gets the earliest 1,000
    let earliest: BTreeSet<_> = acknowledged.iter().copied().take(1_000).collect();
    assert_eq!(stored(&serve), earliest);

    small.resize("64m");
    for number in rejected {
        assert_eq!(store(&serve, number..number + 1), [201], "{number}");
        acknowledged.insert(number);
    }
    // SIGKILL
    drop(serve);
    let exported = CommandOutput::of(
        openreplay_elastic()
            .args(["export", "--data"])
            .arg(folder.path()),
    );
    let exported: Vec<_> = exported.out.lines().map(number).collect();
    assert_eq!(exported.len(), acknowledged.len(), "each once");
    assert_eq!(BTreeSet::from_iter(exported), acknowledged);
}

/// A record of the session that compresses badly. Its time is that of today's start and its number.
fn record(number: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let time = now.unwrap().as_secs() / 86_400 * 86_400_000 + number;
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric)
        .take(300)
        .collect();
    let message = format!("[openReplaySession.id={SESSION}] record {number} {noise}");
    json!({"@timestamp": time, "level": "info", "message": message}).to_string()
}

fn number(source: &str) -> u64 {
    let (_, rest) = source
        .split_once("] record ")
        .expect("one of these records");
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// Sends records with an `_id` each, and returns the status of each.
fn store(serve: &Serve, numbers: std::ops::Range<u64>) -> Vec<u64> {
    let lines = numbers.map(|number| {
        let action = json!({"create": {"_index": "logs", "_id": number.to_string()}});
        format!("{action}\n{}\n", record(number))
    });
    let key = format!("ApiKey {}", serve.text("writer"));
    let request = ureq::post(format!("{}/_bulk", serve.url())).header("authorization", key);
    let mut response = request.send(lines.collect::<String>()).unwrap();
    let response: Value =
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap();
    let items = response["items"].as_array().unwrap().iter();
    items
        .map(|item| item["create"]["status"].as_u64().unwrap())
        .collect()
}

/// The numbers of the records that OpenReplay gets.
fn stored(serve: &Serve) -> BTreeSet<u64> {
    let rows = CommandOutput::of(
        openreplay_elastic()
            .args(["--url", serve.url(), "logs", SESSION, "--json"])
            .env("ELASTICSEARCH_API_KEY", serve.text("encoded")),
    );
    let rows = rows.json()["rows"].as_array().unwrap().clone();
    rows.iter()
        .map(|row| number(row["message"].as_str().unwrap()))
        .collect()
}
