use log::{Level, Record};
use tracing::subscriber::with_default;
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{Registry, fmt, prelude::*};

use crate::{Sink, in_session};

/// Logs like a library that uses `log`, but without the global logger.
fn log(level: Level, line: u32, message: &str) {
    let arguments = format_args!("{message}");
    let record = Record::builder()
        .level(level)
        .target("library::part")
        .module_path(Some("library::part"))
        .file(Some("library/part.rs"))
        .line(Some(line))
        .args(arguments)
        .build();
    tracing_log::format_trace(&record).unwrap();
}

#[test]
fn log_records_keep_their_target_file_and_line() {
    let sink = Sink::default();
    let layer = fmt::layer()
        .json()
        .with_file(true)
        .with_line_number(true)
        .with_writer(sink.clone());
    with_default(Registry::default().with(layer.with_session()), || {
        in_session(42, || {
            log(Level::Info, 7, "connected");
            log(Level::Error, 8, "lost");
        });
    });
    let records = sink.records();
    for (record, (message, line)) in records.iter().zip([("connected", 7), ("lost", 8)]) {
        assert_eq!(
            record["fields"]["message"],
            format!("[openReplaySession.id=42] {message}")
        );
        assert_eq!(record["target"], "library::part");
        assert_eq!(record["filename"], "library/part.rs");
        assert_eq!(record["line_number"], line);
    }
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["fields"]["tags"], "error");
}
