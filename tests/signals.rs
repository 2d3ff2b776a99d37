//! What stops `ship` and `serve`, and what makes `ship` read its files again.
#![cfg(unix)]

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::ship::{Killed, ship, wait_for};
use integration_tests::{StandIn, openreplay_elastic};
use openreplay_elastic::ElasticWriter;

const LIMIT: Duration = Duration::from_secs(60);

/// `old:secret` and `new:secret`, as Elasticsearch gets them.
const OLD: &str = "ApiKey b2xkOnNlY3JldA==";
const NEW: &str = "ApiKey bmV3OnNlY3JldA==";

fn signal(name: &str, process: u32) {
    let done = Command::new("kill")
        .args(["-s", name, &process.to_string()])
        .status();
    assert!(done.unwrap().success());
}

fn ended(process: &mut Killed) -> ExitStatus {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = process.0.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not stop");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Starts a command, and gives the lines of its standard error.
fn start(command: &mut Command) -> (Killed, Receiver<String>) {
    let mut started = Killed::start(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    let (send, lines) = mpsc::channel();
    let err = BufReader::new(started.0.stderr.take().unwrap());
    thread::spawn(move || {
        let mut lines = err.lines().map_while(Result::ok);
        lines.try_for_each(|line| send.send(line))
    });
    (started, lines)
}

fn wait_for_line(lines: &Receiver<String>, text: &str) {
    while !lines.recv_timeout(LIMIT).unwrap().contains(text) {}
}

/// An address that accepts connections, and never responds.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || stream.read_to_end(&mut Vec::new()));
        }
    });
    url
}

fn serve(folder: &Path) -> Command {
    let mut command = openreplay_elastic();
    let listen = ["serve", "--listen", "127.0.0.1:0", "--no-keys", "--data"];
    command.args(listen).arg(folder);
    command
}

#[test]
fn ship_and_serve_stop_on_sigterm_and_sigint() {
    let folder = tempfile::tempdir().unwrap();
    append(&folder.path().join("app.log"));
    let server = StandIn::start();
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        for url in [server.url(), &silent()] {
            let (mut shipping, lines) = start(&mut ship(url, folder.path(), "app.log"));
            wait_for_line(&lines, "following ");
            signal(name, shipping.0.id());
            assert_eq!(ended(&mut shipping).code(), Some(0), "{name} {url}");
            assert_eq!(lines.iter().last().as_deref(), Some("stopped"));
        }
        let (mut serving, lines) = start(&mut serve(folder.path()));
        wait_for_line(&lines, "listening on ");
        signal(name, serving.0.id());
        assert_eq!(ended(&mut serving).code(), Some(0), "{name}");

        // A script must not treat it as done.
        let mut once = ship(&silent(), folder.path(), "app.log");
        let (mut shipping, _lines) = start(once.arg("--once"));
        wait_until_handled(shipping.0.id());
        signal(name, shipping.0.id());
        assert_eq!(ended(&mut shipping).code(), Some(128 + number), "{name}");
    }
}

/// Waits until the process handles SIGTERM.
fn wait_until_handled(process: u32) {
    let deadline = Instant::now() + LIMIT;
    let handles = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let mut lines = status.lines();
        let caught = lines.find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 14) != 0
    };
    while !handles() {
        assert!(Instant::now() < deadline, "it handles no SIGTERM");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "needs root"]
fn ship_and_serve_stop_as_the_first_process_of_a_container() {
    let folder = tempfile::tempdir().unwrap();
    append(&folder.path().join("app.log"));
    for name in ["TERM", "INT"] {
        for (command, line) in [
            (ship(&silent(), folder.path(), "app.log"), "following "),
            (serve(folder.path()), "listening on "),
        ] {
            let mut contained = Command::new("unshare");
            contained.args(["--pid", "--fork", "--mount-proc"]);
            contained
                .arg(command.get_program())
                .args(command.get_args());
            let (mut started, lines) = start(&mut contained);
            wait_for_line(&lines, line);
            let id = started.0.id();
            let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
            signal(name, children.trim().parse().unwrap());
            assert_eq!(ended(&mut started).code(), Some(0), "{name} {command:?}");
        }
    }
}

#[test]
fn ship_rereads_its_key_on_sighup_and_keeps_it_if_the_file_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let [key, log] = ["key", "app.log"].map(|name| folder.path().join(name));
    fs::write(&key, "old:secret").unwrap();
    append(&log);
    let server = StandIn::start();
    server.expect_authorization(OLD);
    let mut command = ship(server.url(), folder.path(), "app.log");
    let (shipping, lines) = start(command.arg("--api-key-file").arg(&key));
    wait_for(&server, 1);
    fs::write(&key, "").unwrap();
    signal("HUP", shipping.0.id());
    wait_for_line(&lines, "keeping the credentials: ");
    append(&log);
    wait_for(&server, 2);
    fs::write(&key, "new:secret").unwrap();
    signal("HUP", shipping.0.id());
    wait_for_line(&lines, "reread the credentials");
    server.keep_received();
    server.expect_authorization(NEW);
    append(&log);
    wait_for(&server, 3);
    let received = server.received().concat();
    assert!(!received.contains(OLD), "{received}");
}

#[test]
fn ship_and_the_writer_reread_a_key_that_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let [key, log] = ["key", "app.log"].map(|name| folder.path().join(name));
    fs::write(&key, "old:secret").unwrap();
    append(&log);
    let server = StandIn::start();
    server.expect_authorization(OLD);
    let mut command = ship(server.url(), folder.path(), "app.log");
    let (_shipping, _lines) = start(command.arg("--api-key-file").arg(&key));
    let builder = ElasticWriter::builder(server.url()).api_key_file(&key);
    let (writer, guard) = builder.build().unwrap();
    writer.write_line(b"{}");
    assert!(guard.flush(LIMIT).is_complete());
    wait_for(&server, 2);
    server.expect_authorization(NEW);
    append(&log);
    writer.write_line(b"{}");
    fs::write(&key, "new:secret").unwrap();
    assert!(guard.flush(LIMIT).is_complete());
    wait_for(&server, 4);
}

fn append(log: &Path) {
    let file = OpenOptions::new().create(true).append(true).open(log);
    file.unwrap().write_all(b"{\"level\":\"info\"}\n").unwrap();
}
