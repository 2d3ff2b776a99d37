//! `ship` and an Elasticsearch that is not there.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::ship::{Killed, ship};
use integration_tests::{Said, StandIn};

/// Far more than it takes.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn once_fails_where_nobody_can_be_reached_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let no_tls = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = no_tls.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in no_tls.incoming().map_while(Result::ok) {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            // until the other side has read it
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let no_tls = format!("https://{address}");
    for (url, kind) in [
        (&nobody[..], "unreachable"),
        ("http://elasticsearch.invalid:9200", "unreachable"),
        (&no_tls, "tls"),
    ] {
        let ship = || ship(url, folder.path(), "app.log*");
        let said = by_and_by(ship().args(["--once", "--json"]));
        assert_eq!(said.code, Some(1), "{url}: {said:?}");
        let error = &said.json()["error"];
        assert_eq!(error["kind"], kind, "{url}: {said:?}");
        let said = by_and_by(ship().arg("--once"));
        assert_eq!((said.code, &said.out[..]), (Some(1), ""), "{url}: {said:?}");
        assert!(said.err.starts_with("error: "), "{url}: {said:?}");
        assert!(said.err.contains(url), "{url}: {said:?}");
    }
}

#[test]
fn says_what_is_missing_though_it_said_just_now_that_nobody_was_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.log"), "{\"n\":1}\n").unwrap();
    let far_end = StandIn::start();
    far_end.be_gone(true);
    far_end.remove_alias();
    let mut command = ship(far_end.url(), folder.path(), "app.log");
    let mut shipping = Killed::start(command.stderr(Stdio::piped()));
    let (said, lines) = mpsc::channel();
    let err = BufReader::new(shipping.0.stderr.take().unwrap());
    thread::spawn(move || {
        err.lines()
            .map_while(Result::ok)
            .try_for_each(|line| said.send(line))
    });
    let line = lines.recv_timeout(LIMIT).unwrap();
    let start = format!(
        "following 8 bytes, 0 of them delivered before; the rest, and what comes, goes to {}",
        far_end.url()
    );
    assert_eq!(line, start);
    let line = lines.recv_timeout(LIMIT).unwrap();
    assert!(line.contains("closed the connection"), "{line}");
    far_end.be_gone(false);
    let line = lines.recv_timeout(LIMIT).unwrap();
    assert!(line.contains("run `openreplay-elastic setup`"), "{line}");
}

/// Runs a command to its end, which has to come.
fn by_and_by(command: &mut Command) -> Said {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Killed::start(piped);
    let deadline = Instant::now() + LIMIT;
    while running.0.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end: {command:?}");
        thread::sleep(Duration::from_millis(10));
    }
    let text = |pipe: &mut dyn Read| {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    };
    Said {
        code: running.0.wait().unwrap().code(),
        out: text(running.0.stdout.as_mut().unwrap()),
        err: text(running.0.stderr.as_mut().unwrap()),
    }
}
