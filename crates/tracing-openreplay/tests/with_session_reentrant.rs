//! A value that logs while it is written. This test sets the global subscriber, because `tracing`
//! drops such events with a scoped one.

use std::{
    fmt,
    io::{self, Read},
    sync::Mutex,
};

use openreplay_session::{SessionId, sync_scope};
use tracing::info;
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::prelude::*;

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
    let layer = tracing_subscriber::fmt::layer()
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
