//! How a [`Site`](crate::site::Site) responds: each request leaves a record that names it.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State, WebSocketUpgrade, ws},
    http::StatusCode,
    response::{Html, IntoResponse, Response, sse},
    routing::{any, get, post},
};
use futures_util::{StreamExt as _, stream};
use openreplay_session::scope;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower_http::services::ServeDir;
use tower_openreplay::SessionLayer;
use tracing::info;

use crate::{bundle::bundle, ingest::Ingest};

pub(crate) fn routes(session: SessionLayer, ingest: &Ingest) -> Router {
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/ask/{what}", any(respond))
        .route("/graphql", post(graphql))
        .route("/events", get(events))
        .route("/events/open", get(open_events))
        .route("/events/open/sent", get(sent))
        .route("/events/open/end", get(end))
        .route("/socket", any(socket)) // a GET in HTTP/1.1, a CONNECT in HTTP/2
        .route("/beacon", post(beacon))
        .with_state(Arc::default())
        .layer(session)
        .nest_service("/bundle", ServeDir::new(bundle()))
        .merge(ingest.routes())
}

const PAGE: &str = r#"<!doctype html>
<title>browser tests</title>
<link rel="icon" href="data:,">
<script>globalThis.INGEST_POINT = location.origin + "/ingest";</script>
"#;

/// Logs its own path, so that a test names its request by it.
async fn respond(request: Request) -> Json<Value> {
    info!("asked {}", request.uri().path());
    Json(json!({ "session": openreplay_session::current().map(|id| id.to_string()) }))
}

async fn graphql() -> Json<Value> {
    info!("asked /graphql");
    Json(json!({ "data": { "ping": "pong" } }))
}

async fn events() -> impl IntoResponse {
    let steps = stream::unfold(1, |step| async move {
        info!("event {step}");
        let event = sse::Event::default()
            .retry(Duration::from_millis(50))
            .data(step.to_string());
        (step < 4).then_some((Ok::<_, io::Error>(event), step + 1))
    });
    sse::Sse::new(steps)
}

/// What a test's script knows and decides of the stream of [`open_events`].
#[derive(Default)]
struct Open {
    is_sent: Notify,
    may_end: Notify,
}

/// One event, and no end before the script requests it.
async fn open_events(State(open): State<Arc<Open>>) -> impl IntoResponse {
    info!("open event");
    let event = Ok::<_, io::Error>(sse::Event::default().data("1"));
    let end = stream::once(async move {
        open.is_sent.notify_one();
        open.may_end.notified().await;
        Ok(sse::Event::default().data("2"))
    });
    sse::Sse::new(stream::iter([event]).chain(end))
}

async fn sent(State(open): State<Arc<Open>>) {
    open.is_sent.notified().await;
}

async fn end(State(open): State<Arc<Open>>) {
    open.may_end.notify_one();
}

async fn socket(upgrade: WebSocketUpgrade) -> Response {
    let session = openreplay_session::current();
    upgrade.on_upgrade(move |socket| scope(session, echo(socket)))
}

async fn echo(mut socket: ws::WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let ws::Message::Text(text) = &message {
            info!("socket said {text}");
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }
}

async fn beacon(text: String) -> StatusCode {
    info!("beacon said {text}");
    StatusCode::NO_CONTENT
}
