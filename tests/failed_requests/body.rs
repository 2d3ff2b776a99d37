//! A body that fails after its response began.

use std::io;

use axum::{
    Router,
    body::{Body, Bytes},
    routing,
};
use futures_util::stream;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use tower_openreplay::{RequestLogLayer, SessionLayer};

use crate::{logged_in, new_session};

#[tokio::test]
async fn a_body_that_fails_is_a_second_record_with_the_causes() {
    let breaks = || async {
        tracing::info!("export begins");
        let refused = io::Error::new(
            io::ErrorKind::ConnectionRefused,
            "the price service hung up",
        );
        let frames = [Ok(Bytes::from_static(b"12.50")), Err(refused)];
        Body::from_stream(stream::iter(frames))
    };
    let app = Router::new()
        .route("/export", routing::get(breaks))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let session = new_session();
    let request = axum::http::Request::get("/export")
        .header("openReplaySession.id", session.as_str())
        .body(Body::empty())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "12.50"
    );
    assert!(body.frame().await.unwrap().is_err());
    assert!(body.frame().await.is_none());
    drop(body);

    let records = logged_in(session);
    let lines: Vec<_> = records
        .iter()
        .map(|record| (record.level.as_str(), record.message.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            ("info", "export begins"),
            ("info", "GET /export 200 duration_ms=_ route=/export"),
            (
                "error",
                "GET /export body failed error=the price service hung up duration_ms=_ route=/export",
            ),
        ]
    );
    assert_eq!(records[2].spans[0]["name"], "request");
}

#[tokio::test]
async fn a_body_is_polled_and_dropped_in_the_span() {
    struct Progress;
    impl Drop for Progress {
        fn drop(&mut self) {
            tracing::info!("dropped");
        }
    }
    let streams = || async {
        let progress = Progress;
        Body::from_stream(stream::unfold(progress, |progress| async {
            tracing::info!("polled");
            Some((Ok::<_, io::Error>(Bytes::from_static(b"x")), progress))
        }))
    };
    let app = Router::new()
        .route("/stream", routing::get(streams))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let session = new_session();
    let request = axum::http::Request::get("/stream")
        .header("openReplaySession.id", session.as_str())
        .body(Body::empty())
        .unwrap();
    let mut body = app.oneshot(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let records = logged_in(session);
    for message in ["polled", "dropped"] {
        let records = records
            .iter()
            .find(|record| record.message == message)
            .expect(message);
        assert_eq!(records.spans[0]["fields"]["path"], "/stream", "{message}");
    }
}
