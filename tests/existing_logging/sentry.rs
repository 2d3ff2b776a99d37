//! Sentry, over its own transport into an endpoint of the test's.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc,
    thread,
    time::Duration,
};

use openreplay_session::{SessionId, sync_scope};
use serde_json::Value;

use crate::{is_child, lines, request, run};

fn set_up_and_run(work: impl FnOnce()) {
    // [guide]
    use sentry::ClientOptions;
    use sentry_tracing::ErrorLayer;
    use tracing_openreplay::{LayerExt as _, sentry::before_send};
    use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

    // the DSN comes from `SENTRY_DSN`
    let _guard = sentry::init(ClientOptions::new().before_send(before_send));

    let errors = ErrorLayer::new().with_session().as_sentry_tag();
    tracing_subscriber::registry()
        .with(fmt::layer().with_session())
        .with(errors.with_filter(LevelFilter::ERROR))
        .init();
    // [end]

    work();
}

#[test]
fn events_arrive_with_the_tag() {
    if is_child() {
        return set_up_and_run(|| {
            request();
            sync_scope(SessionId::from(43), || {
                sentry::capture_message("by hand", sentry::Level::Error)
            });
        });
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://key@{}/1", listener.local_addr().unwrap());
    let (sender, events) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..2 {
            sender.send(event(&listener)).unwrap();
        }
    });
    let written = run(
        "sentry::events_arrive_with_the_tag",
        &[("SENTRY_DSN", &dsn), ("NO_COLOR", "1")],
    );
    let next = || {
        let event = events.recv_timeout(Duration::from_secs(60));
        event.expect("the process has ended, so all is sent")
    };
    let (by_tracing, by_hand) = (next(), next());

    assert_eq!(by_tracing["message"], "out of stock");
    assert_eq!(by_tracing["tags"]["openReplaySession.id"], "42");
    assert_eq!(by_hand["message"], "by hand");
    assert_eq!(by_hand["tags"]["openReplaySession.id"], "43");
    // by which OpenReplay finds the event itself
    assert_eq!(by_tracing["culprit"], "openReplaySession.id=42");
    assert_eq!(by_hand["culprit"], "openReplaySession.id=43");
    // the terminal has the prefix all the same
    assert!(
        lines(&written)[0].contains("[openReplaySession.id=42] cart opened"),
        "{written}"
    );
}

/// The event in the next envelope that is sent.
fn event(listener: &TcpListener) -> Value {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(&stream);
    let mut length = 0;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "it ends early");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        .unwrap();

    let body = String::from_utf8(body).unwrap();
    let mut items = body
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    items
        .find(|item| item.get("message").is_some())
        .unwrap_or_else(|| panic!("no event in {body}"))
}
