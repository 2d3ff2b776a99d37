//! A request whose client leaves.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{Router, routing};
use openreplay_session::SessionId;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};

use crate::{assert_logged, new_session, serve, wait_for};

/// Serves an app, and sends it a request whose response is not read yet.
async fn send(app: Router, path: &str, session: SessionId) -> TcpStream {
    let address = serve(app).await;
    let address = address.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nopenReplaySession.id: {session}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_client_that_leaves_first_is_one_warning() {
    let arrived = Arc::new(Notify::new());
    let arrives = Arc::clone(&arrived);
    let waits = move || async move {
        arrives.notify_one();
        pending::<()>().await;
    };
    let app = Router::new()
        .route("/wait", routing::get(waits))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let session = new_session();
    let socket = send(app, "/wait", session).await;
    arrived.notified().await;
    drop(socket);
    let records = wait_for(session, 1).await;
    assert_logged(
        &records,
        "warning",
        "GET /wait cancelled duration_ms=_ route=/wait",
    );
    assert_eq!(records[0].spans[0]["fields"]["path"], "/wait");
}

#[tokio::test]
async fn an_error_in_work_that_is_cancelled_is_logged_too() {
    let waits = || async {
        let _failure = Failure::new("no price");
        pending::<()>().await;
    };
    let app = Router::new()
        .route("/wait", routing::get(waits))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let session = new_session();
    let request = axum::http::Request::get("/wait")
        .header("openReplaySession.id", session.as_str())
        .body(axum::body::Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(app, request);
    tokio::time::timeout(Duration::from_millis(20), response)
        .await
        .unwrap_err();
    let records = wait_for(session, 2).await;
    assert_eq!(
        records[0].message,
        "request failed error=no price status=500"
    );
    assert_eq!(
        records[1].message,
        "GET /wait cancelled duration_ms=_ route=/wait"
    );
    assert_eq!(records.len(), 2);
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_that_began_is_no_second_record() {
    let streams = || async {
        let frames = futures_util::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
        axum::body::Body::from_stream(frames)
    };
    let app = Router::new()
        .route("/stream", routing::get(streams))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let session = new_session();
    let mut socket = send(app, "/stream", session).await;
    let _ = socket.read(&mut [0; 64]).await.unwrap();
    drop(socket);
    let records = wait_for(session, 1).await;
    assert_logged(
        &records,
        "info",
        "GET /stream 200 duration_ms=_ route=/stream",
    );
}
