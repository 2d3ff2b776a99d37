//! The options of `RequestLogLayer`.

use axum::{Router, body::Body, http::Request, routing};
use tower::ServiceExt as _;
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
use tracing::Level;

use crate::{new_session, said_in};

/// Level and first word of each record of a request.
async fn records(layer: RequestLogLayer, path: &str) -> Vec<(String, String)> {
    let fails = || async { Err::<(), _>(Failure::new("no price")) };
    let rejects = || async {
        let status = axum::http::StatusCode::CONFLICT;
        Err::<(), _>(Failure::new("sold out").with_status(status))
    };
    let logs = || async { tracing::info!("checked") };
    let app = Router::new()
        .route("/ok", routing::get(|| async {}))
        .route("/err", routing::get(fails))
        .route("/rejected", routing::get(rejects))
        .route("/health", routing::get(logs))
        .layer(layer)
        .layer(SessionLayer::new());
    let session = new_session();
    let request = Request::get(path).header("openReplaySession.id", session.as_str());
    app.oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let said = said_in(session).into_iter();
    said.map(|said| {
        let message = said
            .message
            .split(" duration_ms")
            .next()
            .unwrap()
            .to_owned();
        (said.level, message)
    })
    .collect()
}

fn row(level: &str, message: &str) -> (String, String) {
    (level.to_owned(), message.to_owned())
}

#[tokio::test]
async fn the_level_of_successes_can_be_set_and_switched_off() {
    let quiet = RequestLogLayer::new().with_success_level(Level::DEBUG);
    assert_eq!(
        records(quiet.clone(), "/ok").await,
        [row("debug", "GET /ok 200")]
    );
    let off = RequestLogLayer::new().without_successes();
    assert_eq!(records(off.clone(), "/ok").await, []);
    for layer in [quiet, off] {
        let failed = [row("error", "GET /err 500 error=no price")];
        assert_eq!(records(layer.clone(), "/err").await, failed);
        let rejected = [row("info", "GET /rejected 409 error=sold out")];
        assert_eq!(records(layer, "/rejected").await, rejected);
    }
}

#[tokio::test]
async fn an_excluded_path_has_neither_record_nor_span() {
    let layer = RequestLogLayer::new().without_paths(["/health"]);
    assert_eq!(
        records(layer.clone(), "/health?deep=1").await,
        [row("info", "checked")]
    );
    assert_eq!(
        records(layer.clone(), "/ok").await,
        [row("info", "GET /ok 200")]
    );
    assert_eq!(
        records(layer, "/healthy").await,
        [row("info", "GET /healthy 404")]
    );
}
