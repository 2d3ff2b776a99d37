//! `ship` and an Elasticsearch that is not there.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::ship::{Killed, line, ship};
use integration_tests::{CommandOutput, StandIn};

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
        let output = by_and_by(ship().args(["--once", "--json"]));
        assert_eq!(output.code, Some(1), "{url}: {output:?}");
        let error = &output.json()["error"];
        assert_eq!(error["kind"], kind, "{url}: {output:?}");
        let output = by_and_by(ship().arg("--once"));
        assert_eq!(
            (output.code, &output.out[..]),
            (Some(1), ""),
            "{url}: {output:?}"
        );
        assert!(output.err.starts_with("error: "), "{url}: {output:?}");
        assert!(output.err.contains(url), "{url}: {output:?}");
    }
}

#[test]
fn reports_a_missing_alias_right_after_an_unreachable_server() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.log"), "{\"n\":1}\n").unwrap();
    let server = StandIn::start();
    server.set_down(true);
    server.remove_alias();
    let mut command = ship(server.url(), folder.path(), "app.log");
    let mut shipping = Killed::start(command.stderr(Stdio::piped()));
    let (output, lines) = mpsc::channel();
    let err = BufReader::new(shipping.0.stderr.take().unwrap());
    thread::spawn(move || {
        err.lines()
            .map_while(Result::ok)
            .try_for_each(|line| output.send(line))
    });
    let line = lines.recv_timeout(LIMIT).unwrap();
    let start = format!(
        "following {}: 8 bytes, 0 of them already delivered; sending the remaining and new lines to {}",
        folder.path().join("app.log").display(),
        server.url()
    );
    assert_eq!(line, start);
    let line = lines.recv_timeout(LIMIT).unwrap();
    assert!(line.contains("closed the connection"), "{line}");
    server.set_down(false);
    let line = lines.recv_timeout(LIMIT).unwrap();
    assert!(line.contains("run `openreplay-elastic setup`"), "{line}");
}

#[test]
fn each_change_of_state_is_one_line_one_object_and_one_notification() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    std::fs::write(&log, line(1)).unwrap();
    let server = StandIn::start();
    server.set_down(true);
    let mut command = ship(server.url(), folder.path(), "app.log");
    command.arg("--json");
    #[cfg(unix)]
    let manager = {
        let path = folder.path().join("notify");
        command.env("NOTIFY_SOCKET", &path);
        std::os::unix::net::UnixDatagram::bind(path).unwrap()
    };
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shipping = Killed::start(piped);
    let out = lines_of(shipping.0.stdout.take().unwrap());
    let err = lines_of(shipping.0.stderr.take().unwrap());
    let event = || -> serde_json::Value {
        serde_json::from_str(&out.recv_timeout(LIMIT).unwrap()).unwrap()
    };
    let started = event();
    assert_eq!(started["event"], "started");
    assert_eq!(started["files"], serde_json::json!([log]));
    assert_eq!(event()["event"], "failing");
    server.set_down(false);
    assert_eq!(event(), serde_json::json!({"event": "working"}));
    server.set_down(true);
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    // The index behind the alias is known for a second: it fails when it sends, or when it queries.
    file.write_all(line(2).as_bytes()).unwrap();
    assert_eq!(event()["event"], "failing");
    server.set_down(false);
    assert_eq!(event(), serde_json::json!({"event": "working"}));
    let mut again = 0;
    while again < 2 {
        let line = err.recv_timeout(LIMIT).unwrap();
        again += usize::from(line == "openreplay-elastic: delivery works again");
    }
    #[cfg(unix)]
    {
        manager.set_read_timeout(Some(LIMIT)).unwrap();
        let mut heard = String::new();
        while heard.matches("STATUS=failing").count() < 2 || !heard.ends_with("STATUS=working") {
            let mut buffer = [0; 4_096];
            let length = manager.recv(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            // The counts behind it come in any number.
            heard += text.split_once(": ").map_or(text, |(state, _)| state);
        }
        assert!(
            heard.starts_with("READY=1\nSTATUS=following 1 file"),
            "{heard}"
        );
    }
}

fn lines_of(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (output, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(pipe).lines().map_while(Result::ok);
        let _ = lines.into_iter().try_for_each(|line| output.send(line));
    });
    lines
}

/// Runs a command to its end, which has to come.
fn by_and_by(command: &mut Command) -> CommandOutput {
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
    CommandOutput {
        code: running.0.wait().unwrap().code(),
        out: text(running.0.stdout.as_mut().unwrap()),
        err: text(running.0.stderr.as_mut().unwrap()),
    }
}
