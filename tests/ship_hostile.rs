//! `ship` as root over a folder that others can write to: bad inputs of which none costs a record.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{lchown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::ship::{Killed, numbers, ship};
use integration_tests::{CommandOutput, StandIn};
use serde_json::json;

/// Far more than it takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Writes a file with one numbered record.
fn write(path: &Path, number: u64) {
    fs::write(path, format!("{}\n", json!({ "n": number }))).unwrap();
}

#[test]
fn links_to_the_folder_itself_and_names_that_are_no_text_end_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    fs::create_dir(folder.path().join("in")).unwrap();
    let logs = folder.path().join("in");
    for name in ["one", "two"] {
        symlink(".", logs.join(name)).unwrap();
    }
    let names = [
        &b"a.log"[..],
        b"\xff.log",
        b"line\nfeed.log",
        b"\x1b[2J.log",
    ];
    for (number, name) in (0..).zip(names) {
        write(&logs.join(OsStr::from_bytes(name)), number);
    }
    let output =
        within_limit(ship(server.url(), folder.path(), "in/**/*.log").args(["--once", "--json"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(numbers(&server), [0, 1, 2, 3]);
    for name in ["one", "two"] {
        let line =
            format!("in/{name} is skipped: it is a link to a folder; --follow-links enters it");
        assert!(output.err.contains(&line), "{output:?}");
    }
    // Nothing is sent again, whatever the names are.
    let output =
        within_limit(ship(server.url(), folder.path(), "in/**/*.log").args(["--once", "--json"]));
    assert_eq!((output.code, server.stored()), (Some(0), 4), "{output:?}");
    let mut follows = ship(server.url(), folder.path(), "in/**/*.log");
    let output = within_limit(follows.args(["--once", "--json", "--follow-links"]));
    assert_eq!((output.code, server.stored()), (Some(0), 4), "{output:?}");
}

#[test]
fn devices_and_pipes_hold_up_no_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    let path = |name: &str| folder.path().join(name);
    write(&path("a.log"), 1);
    write(&path("z.log"), 2);
    symlink("/proc/kmsg", path("kernel.log")).unwrap();
    symlink("/dev/zero", path("zero.log")).unwrap();
    let made = Command::new("mkfifo").arg(path("pipe.log")).status();
    assert!(made.unwrap().success());
    let output =
        within_limit(ship(server.url(), folder.path(), "*.log").args(["--once", "--json"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(numbers(&server), [1, 2]);
    for name in ["zero.log", "pipe.log"] {
        let line = format!("{name} is skipped: it is not a regular file");
        assert!(output.err.contains(&line), "{output:?}");
    }
}

#[test]
#[ignore = "needs root, to create another user's links"]
fn a_link_of_another_user_gives_no_file_of_roots_away() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    fs::create_dir(folder.path().join("in")).unwrap();
    let path = |name: &str| folder.path().join(name);
    write(&path("secret"), 1);
    write(&path("own"), 2);
    lchown(path("own"), Some(12_345), None).unwrap();
    for (name, target, owner) in [
        ("in/evil.log", "../secret", 12_345),
        ("in/fair.log", "../own", 12_345),
    ] {
        symlink(target, path(name)).unwrap();
        lchown(path(name), Some(owner), None).unwrap();
    }
    let output =
        within_limit(ship(server.url(), folder.path(), "in/*.log").args(["--once", "--json"]));
    assert_eq!(output.code, Some(7), "{output:?}");
    assert_eq!(numbers(&server), [2]);
    let unreadable = &output.json()["unreadable"][0];
    assert_eq!(unreadable["path"], json!(path("in/evil.log")), "{output:?}");
    let mut follows = ship(server.url(), folder.path(), "in/*.log");
    let output = within_limit(follows.args(["--once", "--json", "--follow-links"]));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(numbers(&server), [1, 2]);
}

#[test]
fn a_checkpoint_that_cannot_be_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    write(&folder.path().join("a.log"), 1);
    for (index, from) in [("logs-000001", 9), ("a b", 0)] {
        let part = json!({"seed": 7, "path": "/a", "from": from, "to": {"offset": 8, "before": 1}});
        let in_flight = json!({"index": index, "parts": [part], "moved": {}});
        let checkpoint = json!({
            "version": 2,
            "hash": {"name": "fnv1a"},
            "files": [],
            "in_flight": in_flight,
            "waiting": [],
        });
        fs::write(folder.path().join("ship.json"), checkpoint.to_string()).unwrap();
        let output =
            within_limit(ship(server.url(), folder.path(), "*.log").args(["--once", "--json"]));
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(
            output.err.contains("cannot be read as a checkpoint"),
            "{output:?}"
        );
    }
    assert_eq!(server.stored(), 0);
}

/// Runs a command to its end, which must come.
fn within_limit(command: &mut Command) -> CommandOutput {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Killed::start(piped);
    let deadline = Instant::now() + LIMIT;
    while running.0.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end: {command:?}");
        thread::sleep(Duration::from_millis(10));
    }
    let mut output = CommandOutput {
        code: running.0.wait().unwrap().code(),
        out: String::new(),
        err: String::new(),
    };
    let (out, err) = (running.0.stdout.take(), running.0.stderr.take());
    out.unwrap().read_to_string(&mut output.out).unwrap();
    err.unwrap().read_to_string(&mut output.err).unwrap();
    output
}
