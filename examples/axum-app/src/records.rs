//! The records of the session that asks, for the page: as they were written, and as they come back from Elasticsearch.
//!
//! Whoever names an id reads its records, so this is for an app on your own machine and no other.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use openreplay_elastic::{Client, admin::panel};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::tail::{Records, Tail};

pub(crate) fn routes(tail: Tail, elasticsearch: Option<Client>) -> Router {
    let written = Router::new()
        .route("/api/records", get(written))
        .with_state(tail);
    let Some(client) = elasticsearch else {
        return written;
    };
    let stored = Router::new()
        .route("/api/records/elasticsearch", get(stored))
        .with_state(client);
    written.merge(stored)
}

/// Those that were written from the `after`th on.
async fn written(State(tail): State<Tail>, Query(read): Query<Read>) -> Json<Records> {
    Json(match openreplay_session::current() {
        Some(session) => tail.records_of(session, read.after),
        None => Records::default(),
    })
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    after: u64,
}

/// All of them, asked for exactly as OpenReplay asks.
async fn stored(State(client): State<Client>) -> Result<Json<Value>, (StatusCode, String)> {
    let Some(session) = openreplay_session::current() else {
        return Ok(Json(json!({ "records": [] })));
    };
    match panel::session(&client, &session).await {
        Ok(found) => Ok(Json(json!({ "records": found.sources() }))),
        Err(error) => Err((StatusCode::BAD_GATEWAY, format!("Elasticsearch: {error}"))),
    }
}
