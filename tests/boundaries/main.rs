//! No record is in a session that did not cause it: what one visitor's request starts and others
//! use.

mod http2_pool;
mod two_versions;
mod worker;

use integration_tests::Lines;
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_openreplay::{LayerExt as _, json};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// What this thread logs, by both of our layers.
struct Logged {
    json: Lines,
    fmt: Lines,
    _guard: DefaultGuard,
}

/// Logs what these directives let through. To be called in a runtime of one thread.
fn log(directives: &str) -> Logged {
    let (json_lines, fmt_lines) = (Lines::default(), Lines::default());
    let (to_json, to_fmt) = (json_lines.clone(), fmt_lines.clone());
    let fmt = fmt::layer()
        .with_ansi(false)
        .with_writer(move || to_fmt.clone());
    let subscriber = tracing_subscriber::registry()
        .with(EnvFilter::new(directives))
        .with(json().with_writer(move || to_json.clone()))
        .with(fmt.with_session());
    Logged {
        json: json_lines,
        fmt: fmt_lines,
        _guard: tracing::subscriber::set_default(subscriber),
    }
}

impl Logged {
    /// The session and the message of each record, in which both layers agree.
    #[track_caller]
    fn records(&self) -> Vec<(Option<String>, String)> {
        let (json, fmt) = (self.json.text(), self.fmt.text());
        assert_eq!(json.lines().count(), fmt.lines().count(), "{fmt}");
        json.lines()
            .zip(fmt.lines())
            .map(|(json, fmt)| {
                let record: Value = serde_json::from_str(json).unwrap();
                let message = record["message"].as_str().unwrap();
                let session = record["openReplaySession.id"].as_str();
                let prefix = session.map(|id| format!("[openReplaySession.id={id}] "));
                let prefix = prefix.unwrap_or_default();
                assert!(message.starts_with(&prefix), "{message}");
                let none = !fmt.contains("openReplaySession.id=");
                assert!(
                    if session.is_some() {
                        fmt.contains(&prefix)
                    } else {
                        none
                    },
                    "{fmt}"
                );
                (
                    session.map(str::to_owned),
                    message[prefix.len()..].to_owned(),
                )
            })
            .collect()
    }

    /// The sessions of the records whose message starts like this.
    #[track_caller]
    fn sessions(&self, start: &str) -> Vec<Option<String>> {
        let records = self.records().into_iter();
        records
            .filter(|(_, message)| message.starts_with(start))
            .map(|(session, _)| session)
            .collect()
    }
}
