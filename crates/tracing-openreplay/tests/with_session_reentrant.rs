//! A value that logs while it is written. These tests set the global subscriber, because `tracing`
//! drops such events with a scoped one, so all but one run in processes of their own.

mod support;

use std::{
    fmt,
    io::{self, Read},
    sync::Mutex,
};

use openreplay_session::{SessionId, sync_scope};
use tracing::{error, info};
use tracing_openreplay::{LayerExt as _, json};
use tracing_subscriber::{Layer as _, fmt as tracing_fmt, prelude::*};

use crate::support::{alone, diagnostics, records};

struct Talks(&'static str);

impl fmt::Debug for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("from within a {}", self.0);
        f.write_str(self.0)
    }
}

#[test]
fn events_that_a_value_logs_while_it_is_written_are_marked() {
    let (mut reader, writer) = io::pipe().unwrap();
    let layer = tracing_fmt::layer()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_writer(Mutex::new(writer));
    tracing_subscriber::registry()
        .with(layer.with_session())
        .init();

    sync_scope(SessionId::from(42), || {
        info!(value = ?Talks("field"), "{:?}", Talks("message"));
        info!("end");
    });

    let expected = " INFO [openReplaySession.id=42] from within a message\n \
        INFO [openReplaySession.id=42] from within a field\n \
        INFO [openReplaySession.id=42] message value=field\n \
        INFO [openReplaySession.id=42] end\n";
    let mut written = vec![0; expected.len()];
    reader.read_exact(&mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

/// Logs an error while it is written, in its session if there is one.
struct Fails(Option<u64>);

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sync_scope(self.0.map(SessionId::from), || error!("inner"));
        f.write_str("written")
    }
}

fn messages(out: &str) -> Vec<String> {
    let records = records(out).into_iter();
    let messages = records.map(|record| record["message"].as_str().map(ToOwned::to_owned));
    messages.map(Option::unwrap).collect()
}

#[test]
fn json_writes_an_event_once_if_its_message_logs() {
    let test = "json_writes_an_event_once_if_its_message_logs";
    let written = alone(test, || {
        let layer = json().with_session();
        tracing_subscriber::registry().with(layer).init();
        error!("outer {}", Fails(None));
        sync_scope(SessionId::from(42), || error!("outer {}", Fails(Some(43))));
    });
    let Some((out, err)) = written else { return };

    let expected = [
        "inner",
        "outer written",
        "[openReplaySession.id=43] inner",
        "[openReplaySession.id=42] outer written",
    ];
    assert_eq!(messages(&out), expected);
    assert!(diagnostics(&err).is_empty(), "{err}");
}

#[test]
fn a_layer_next_to_json_keeps_the_prefix_of_an_event_that_a_value_logs() {
    let test = "a_layer_next_to_json_keeps_the_prefix_of_an_event_that_a_value_logs";
    let written = alone(test, || {
        let other = tracing_fmt::layer()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(io::stderr);
        let layers = other.and_then(json()).with_session();
        tracing_subscriber::registry().with(layers).init();
        error!("outer {}", Fails(Some(43)));
    });
    let Some((out, err)) = written else { return };

    // Each of the two layers writes the value.
    let inner = "[openReplaySession.id=43] inner";
    assert_eq!(messages(&out), [inner, inner, "outer written"]);
    let lines = [
        "ERROR [openReplaySession.id=43] inner tags=\"error\"",
        "ERROR outer written tags=\"error\"",
        "ERROR [openReplaySession.id=43] inner tags=\"error\"",
    ];
    assert_eq!(err.lines().collect::<Vec<_>>(), lines);
}
