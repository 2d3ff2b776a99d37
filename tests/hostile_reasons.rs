//! What a server responds, and how files are named, steers no terminal: everything that
//! `ElasticWriter` and `ship` print of it is escaped.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use integration_tests::ship::{Killed, ship};
use integration_tests::{CommandOutput, FixedServer, openreplay_elastic};
use openreplay_elastic::ElasticWriter;
use openreplay_record::terminal::is_unsafe;
use serde_json::json;

/// A title, a cleared screen, a line of its own, reversed, separated, invisible and hidden text.
const HOSTILE: &str =
    "\u{1b}]0;t\u{7}\u{9b}2J\nopenreplay-elastic: all is well\u{202e}\u{2028}a\u{200b}b\u{e0041}";
const ESCAPED: &str = "\\u{1b}]0;t\\u{7}\\u{9b}2J openreplay-elastic: all is well\\u{202e}\\u{2028}a\\u{200b}b\\u{e0041}";
const URL: &str = "OPENREPLAY_TEST_URL";

fn refusing() -> FixedServer {
    let body = json!({"error": {"type": "security_exception", "reason": HOSTILE}, "status": 403});
    FixedServer::start(vec![("POST", "/logs/_bulk", 403, body)])
}

#[track_caller]
fn assert_is_escaped(line: &str) {
    assert!(line.contains(ESCAPED), "{line:?}");
    assert!(!line.contains(is_unsafe), "{line:?}");
}

/// Runs itself once more, as an app with a standard error of its own.
#[test]
fn a_writer_escapes_what_a_server_responds() {
    if let Ok(url) = std::env::var(URL) {
        let (writer, guard) = ElasticWriter::builder(url).build().unwrap();
        writer.write_line(b"{\"message\":\"m\"}");
        let _ = guard.flush(Duration::from_secs(2));
        return;
    }
    let server = refusing();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_writer_escapes_what_a_server_responds",
            "--nocapture",
        ])
        .env(URL, server.url())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("openreplay-elastic: "));
    assert_is_escaped(line.unwrap_or_else(|| panic!("{text:?}")));
    assert!(
        !text.contains("\nopenreplay-elastic: all is well"),
        "{text:?}"
    );
}

#[test]
fn ship_escapes_what_a_server_responds_and_how_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{HOSTILE}.log");
    fs::write(folder.path().join(&name), "{\"message\":\"m\"}\n").unwrap();
    let server = refusing();
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut command = ship(server.url(), folder.path(), "*.log");
    command.env("NOTIFY_SOCKET", socket);
    let mut shipping = Killed::start(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    let mut lines = BufReader::new(shipping.0.stderr.take().unwrap()).lines();
    let started = lines.next().unwrap().unwrap();
    let escaped_name = ESCAPED.replace("2J ", "2J\\n");
    assert!(started.contains(&escaped_name), "{started:?}");
    assert!(!started.contains(is_unsafe), "{started:?}");
    assert_is_escaped(&lines.next().unwrap().unwrap());

    // Each line would be a message of its own.
    let mut buffer = [0; 4096];
    let mut message = String::new();
    while !message.starts_with("STATUS=failing") {
        let length = manager.recv(&mut buffer).unwrap();
        message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        let of_ship = |line: &str| line == "READY=1" || line.starts_with("STATUS=");
        assert!(message.lines().all(of_ship), "{message:?}");
    }
}

#[test]
fn no_line_that_a_command_prints_is_a_servers_own() {
    let body = json!({"error": {"type": "security_exception", "reason": HOSTILE}, "status": 403});
    let refused = |(method, path)| (method, path, 403, body.clone());
    let routes = [("GET", "/"), ("POST", "/logs/_search")];
    let server = FixedServer::start(routes.map(refused).to_vec());
    for subcommand in [&["setup"][..], &["check"], &["logs", "7"]] {
        let mut command = openreplay_elastic();
        let output = command.args(["--url", server.url()]).args(subcommand);
        let output = CommandOutput::of(output);
        let text = output.out + &output.err;
        assert!(text.contains("all is well"), "{subcommand:?}: {text:?}");
        for line in text.lines() {
            let forged = line.starts_with("openreplay-elastic: all is well");
            assert!(
                !forged && !line.contains(is_unsafe),
                "{subcommand:?}: {text:?}"
            );
        }
    }
}
