//! 2,000 requests at once, each with a session of its own: no record carries another's id, and none
//! is missing.

use std::{collections::HashMap, convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    routing::get,
};
use futures_util::{StreamExt as _, future::join_all, stream};
use http::Request;
use http_body_util::BodyExt as _;
use integration_tests::Lines;
use openreplay_session::{InCurrentSession as _, SessionId, in_current_session};
use serde_json::Value;
use tower::ServiceExt as _;
use tower_openreplay::SessionLayer;
use tracing::Instrument as _;
use tracing_subscriber::prelude::*;

const REQUESTS: u64 = 2000;
/// What each request logs, whichever way it takes.
const EVENTS: [&str; 9] = [
    "started",
    "awaited",
    "spawned",
    "in a span",
    "blocking",
    "joined",
    "frame",
    "frame",
    "frame",
];

async fn handler(Path(number): Path<u64>) -> Body {
    tracing::info!(number, "started");
    // every request is suspended at other points than its neighbours
    for _ in 0..number % 7 {
        tokio::task::yield_now().await;
    }
    if number.is_multiple_of(3) {
        tokio::time::sleep(Duration::from_micros(number)).await;
    }
    tracing::info!(number, "awaited");

    let spawned = tokio::spawn(
        async move {
            tokio::task::yield_now().await;
            tracing::info!(number, "spawned");
        }
        .in_current_session(),
    );
    // found by the span alone: the task itself is in no session
    let in_span = tokio::spawn(
        async move {
            tokio::task::yield_now().await;
            tracing::info!(number, "in a span");
        }
        .instrument(tracing::info_span!("work")),
    );
    let blocking = tokio::task::spawn_blocking(in_current_session(move || {
        tracing::info!(number, "blocking");
    }));
    let (one, two, three) = tokio::join!(spawned, in_span, blocking);
    one.and(two).and(three).unwrap();
    tracing::info!(number, "joined");

    let frames = stream::iter(0..3).then(move |_| async move {
        tokio::task::yield_now().await;
        tracing::info!(number, "frame");
        Ok::<_, Infallible>(Bytes::from_static(b"."))
    });
    Body::from_stream(frames)
}

/// Every fifth request has no session; the ids of the others have nothing in common with their
/// numbers' order.
fn session(number: u64) -> Option<SessionId> {
    (!number.is_multiple_of(5)).then(|| SessionId::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

async fn request(app: Router, number: u64) {
    let request = Request::get(format!("/{number}"));
    let request = match session(number) {
        Some(id) => request.header("openReplaySession.id", id.as_str()),
        None => request,
    };
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "..."
    );
}

#[test]
fn no_record_carries_another_session_and_none_is_missing() {
    let lines = Lines::default();
    tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .with(tracing_openreplay::json().with_writer(lines.clone()))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = Router::new()
            .route("/{number}", get(handler))
            .layer(SessionLayer::new());
        let requests = (0..REQUESTS).map(|number| tokio::spawn(request(app.clone(), number)));
        for request in join_all(requests).await {
            request.unwrap();
        }
    });

    let mut events: HashMap<u64, Vec<String>> = HashMap::new();
    for record in lines.records() {
        let number = record["fields"]["number"].as_u64().unwrap();
        let message = record["message"].as_str().unwrap();
        let message = match session(number) {
            Some(id) => {
                assert_eq!(record["openReplaySession.id"], id.as_str(), "{record}");
                message
                    .strip_prefix(&format!("[openReplaySession.id={id}] "))
                    .unwrap_or_else(|| panic!("{record}"))
            }
            None => {
                assert_eq!(
                    record.get("openReplaySession.id"),
                    None::<&Value>,
                    "{record}"
                );
                message
            }
        };
        let event = message
            .strip_suffix(&format!(" number={number}"))
            .unwrap_or_else(|| panic!("{record}"));
        events.entry(number).or_default().push(event.to_owned());
    }
    assert_eq!(events.len() as u64, REQUESTS);
    let mut expected = EVENTS.map(str::to_owned);
    expected.sort();
    for (number, mut events) in events {
        events.sort();
        assert_eq!(events, expected, "{number}");
    }
}
