//! The record of tracing-openreplay's README.

use integration_tests::{Lines, guide};
use openreplay_session::{SessionId, sync_scope};
use tracing::subscriber::with_default;
use tracing_subscriber::prelude::*;

use crate::{SESSION, shows};

#[test]
fn the_readme_of_tracing_openreplay_shows_the_record_that_is_written() {
    let lines = Lines::default();
    let layer = tracing_openreplay::json()
        .with_service_name("shop")
        .with_writer(lines.clone());
    with_default(tracing_subscriber::registry().with(layer), || {
        let session: SessionId = SESSION.parse().unwrap();
        sync_scope(session, || {
            tracing::error!(target: "shop", status = 500, "Error: no answer");
        });
    });
    let page = "crates/tracing-openreplay/README.md";
    let shown = guide::block(page, "tracing-openreplay", "json");
    shows(&shown, &lines.records()[0]);
}
