//! The memory that `openreplay-elastic serve` takes, with clients that send as much as they can.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use openreplay_store::{Batch, Outcome, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

const CLIENTS: usize = 64;
const MIB: usize = 1024 * 1024;
const IDLE: usize = 20 * MIB;
const LOADED: usize = 100 * MIB;

/// A body, its encoding, and the status of the response.
type Body = (Vec<u8>, &'static str, u16);

#[test]
fn sixty_four_clients_with_large_bodies_and_gzip_bombs_stay_within_the_bound() {
    let folder = TempDir::new().unwrap();
    let serve = Serve::start(&folder);
    let idle = memory(&serve, "VmHWM");
    assert!(idle < IDLE, "{} KiB, idle", idle / 1024);

    send_all(&serve, &bodies(), CLIENTS);
    let peak = memory(&serve, "VmHWM");
    assert!(peak < LOADED, "{} KiB at most", peak / 1024);
}

/// Stores small batches on each of six past days, and copies the files without closing the store.
fn leave_pending_records(folder: &Path) {
    let other = TempDir::new().unwrap();
    let store = Store::open(other.path()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for day in 1..=6 {
        let time = (now.as_secs() - day * 86_400) * 1_000;
        for part in 0..9 {
            let mut batch = Batch::new();
            for nth in 0..200 {
                let id = format!("{day}-{part}-{nth}");
                let text = id.repeat(60);
                let message = format!("[openReplaySession.id={nth}] {text}");
                let line = json!({"@timestamp": time, "level": "info", "message": message});
                batch.create(Some(&id), line.to_string());
            }
            let outcomes = store.write(batch).unwrap();
            assert!(outcomes.iter().all(Outcome::is_stored), "{outcomes:?}");
        }
    }
    for file in fs::read_dir(other.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
}

#[test]
fn what_a_killed_process_left_for_past_days_takes_no_memory() {
    let folder = TempDir::new().unwrap();
    leave_pending_records(folder.path());
    let serve = Serve::start(&folder);
    let idle = memory(&serve, "VmRSS");
    assert!(idle < IDLE, "{} KiB, idle", idle / 1024);
}

#[test]
fn records_that_fill_a_body_with_escapes_stay_within_the_bound() {
    let folder = TempDir::new().unwrap();
    let serve = Serve::start(&folder);
    send_all(&serve, &[(one(&surrogates()), "identity", 200)], 8);
    let peak = memory(&serve, "VmHWM");
    assert!(peak < LOADED, "{} KiB at most", peak / 1024);
}

fn send_all(serve: &Serve, bodies: &[Body], clients: usize) {
    thread::scope(|scope| {
        for client in 0..clients {
            scope.spawn(move || {
                let (body, encoding, status) = &bodies[client % bodies.len()];
                let (head, response) = serve.bulk(body, encoding);
                assert!(
                    head.starts_with(&format!("HTTP/1.1 {status}")),
                    "{encoding}: {head}"
                );
                assert!(response > 100, "{response}");
            });
        }
    });
}

/// A running `serve`; killed when dropped.
struct Serve {
    child: Child,
    output: Value,
}

impl Serve {
    fn start(folder: &TempDir) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_openreplay-elastic"))
            .args(["serve", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let output = serde_json::from_str(&line).unwrap();
        Self { child, output }
    }

    /// Sends a body. Returns the first line of the response, and its length.
    fn bulk(&self, body: &[u8], encoding: &str) -> (String, u64) {
        let address = self.output["url"].as_str().unwrap();
        let address = address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let key = self.output["writer"].as_str().unwrap();
        let head = format!(
            "POST /logs/_bulk HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: ApiKey {key}\r\n\
             content-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut response = BufReader::new(stream);
        let mut line = String::new();
        response.read_line(&mut line).unwrap();
        let length = std::io::copy(&mut response, &mut std::io::sink()).unwrap();
        (line, length)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bodies() -> [Body; 8] {
    let record = format!(
        "{{\"create\":{{}}}}\n{{\"message\":\"[openReplaySession.id=7] {}\"}}\n",
        "paid ".repeat(10_000)
    );
    let large = record.repeat(16 * MIB / record.len()).into_bytes();
    // each has a response of its own
    let many = "{\"update\":{}}\n{}\n".repeat(32_000).into_bytes();
    let bomb = gzip(&vec![b' '; 128 * MIB]);
    [
        (gzip(&large), "gzip", 200),
        (large, "identity", 200),
        (gzip(&many), "gzip", 200),
        (many, "identity", 200),
        (bomb, "gzip", 413),
        (one(&members()), "identity", 200),
        (one(&sessions()), "identity", 200),
        (index(), "identity", 400),
    ]
}

/// A body with one record that has this in a text of its message.
fn one(text: &str) -> Vec<u8> {
    format!("{{\"create\":{{}}}}\n{{\"message\":\"{text}\"}}\n").into_bytes()
}

/// The end of a message and as many further members as fit.
fn members() -> String {
    let members = (0..1_000_000).map(|name| format!("\",\"{name:x}\":\""));
    members.collect()
}

/// As many sessions as fit.
fn sessions() -> String {
    let sessions = (0..500_000).map(|id| format!("openReplaySession.id={id} "));
    sessions.collect()
}

/// As many escapes as fit, each of which is decoded to another character.
fn surrogates() -> String {
    format!(
        "[openReplaySession.id=7] {}",
        r"\ud800".repeat(16 * MIB / 6 - 20)
    )
}

/// An action with the name of an index that is as long as a body can be.
fn index() -> Vec<u8> {
    let name = "x".repeat(16 * MIB - 50);
    format!("{{\"create\":{{\"_index\":\"{name}\"}}}}\n{{}}\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// In bytes.
fn memory(serve: &Serve, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", serve.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse::<usize>().unwrap() * 1024
}
