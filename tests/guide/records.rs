//! The records that pages show.

use std::{collections::BTreeSet, fs};

use anyhow::anyhow;
use integration_tests::{Lines, guide};
use openreplay_record::field;
use openreplay_session::{SessionId, sync_scope};
use tower::ServiceExt as _;
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
use tracing::subscriber::{set_default, with_default};
use tracing_subscriber::prelude::*;

use crate::{SESSION, root, shows, without_durations};

#[test]
fn the_readme_of_tracing_openreplay_shows_the_record_that_is_written() {
    let lines = Lines::default();
    let layer = tracing_openreplay::json()
        .with_service_name("shop")
        .with_writer(lines.clone());
    with_default(tracing_subscriber::registry().with(layer), || {
        let session: SessionId = SESSION.parse().unwrap();
        sync_scope(session, || {
            tracing::error!(target: "shop", status = 500, "no response");
        });
    });
    let page = "crates/tracing-openreplay/README.md";
    let shown = guide::block(page, "tracing-openreplay", "json");
    shows(&shown, &lines.records()[0]);
}

#[tokio::test]
async fn the_page_on_errors_shows_the_message_that_is_written() {
    let lines = Lines::default();
    let layer = tracing_openreplay::json().with_writer(lines.clone());
    let _subscriber = set_default(tracing_subscriber::registry().with(layer));
    let fails = || async { Err::<(), _>(Failure::new(anyhow!("no price").context("order 17"))) };
    let app = axum::Router::new()
        .route("/api/err", axum::routing::get(fails))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let request = http::Request::get("/api/err").header("openReplaySession.id", SESSION);
    let response = app.oneshot(request.body(axum::body::Body::empty()).unwrap());
    assert_eq!(response.await.unwrap().status(), 500);

    let shown = guide::block("docs/errors-and-panics.md", "Errors and panics", "text");
    let shown = without_durations(&shown.trim_end().into());
    assert_eq!(shown, without_durations(&lines.records()[0]["message"]));
}

#[test]
fn both_tables_of_fields_have_exactly_those_of_a_record() {
    let json = "crates/tracing-openreplay/src/json/mod.rs";
    let readme = "crates/tracing-openreplay/README.md";
    for (file, comment) in [(json, "/// "), (readme, "")] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let heading = format!("{comment}| field | value | when |\n");
        let (_, table) = text.split_once(&heading).unwrap();
        let start = format!("{comment}| ");
        let rows = table
            .lines()
            .skip(1)
            .map_while(|line| line.strip_prefix(&start));
        let names = rows
            .filter_map(|row| row.split('|').next())
            .flat_map(|names| names.split('`').skip(1).step_by(2));
        let shown: BTreeSet<_> = names.collect();
        assert_eq!(shown, BTreeSet::from(field::ALL), "{file}");
    }
}
