//! Libraries that know `log` only.

use openreplay_session::{SessionId, sync_scope};

use crate::{is_child, lines, run};

fn set_up() -> Result<(), Box<dyn std::error::Error>> {
    // [guide]
    use tracing_openreplay::LayerExt as _;
    use tracing_subscriber::{fmt, prelude::*};

    let subscriber = tracing_subscriber::registry().with(fmt::layer().with_session());

    // `subscriber.init()` does both in one, with the feature `tracing-log` of tracing-subscriber
    tracing_log::LogTracer::init()?;
    tracing::subscriber::set_global_default(subscriber)?;
    // [end]
    Ok(())
}

#[test]
fn a_log_record_has_the_session() {
    if is_child() {
        set_up().unwrap();
        return sync_scope(
            SessionId::from(42),
            || log::error!(target: "library", "connection lost"),
        );
    }
    let written = run(
        "log_only::a_log_record_has_the_session",
        &[("NO_COLOR", "1")],
    );
    let line = lines(&written)[0];
    let end = "ERROR library: [openReplaySession.id=42] connection lost tags=\"error\"";
    assert!(line.ends_with(end), "{line}");
}
