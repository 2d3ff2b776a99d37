//! The rows of the requesting session, for the page: what OpenReplay's panel shows of the stored
//! records.
//!
//! Any client that names an id reads its records, so use this only for an app on your own machine.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use openreplay_elastic::admin::panel;
use serde::Serialize;
use serde_json::Value;

use crate::kept::Kept;

pub(crate) fn routes(kept: Kept) -> Router {
    Router::new()
        .route("/api/records", get(rows))
        .with_state(kept)
}

#[derive(Default, Serialize)]
struct Rows {
    rows: Vec<Row>,
}

/// A row of the panel, and the record that it shows.
#[derive(Serialize)]
struct Row {
    time: String,
    level: &'static str,
    message: String,
    record: Value,
}

async fn rows(State(kept): State<Kept>) -> Result<Json<Rows>, (StatusCode, String)> {
    let Some(session) = openreplay_session::current() else {
        return Ok(Json(Rows::default()));
    };
    let records = kept.records_of(session).await;
    let records = records.map_err(|error| (StatusCode::BAD_GATEWAY, error))?;
    let rows = panel::rows(&records).map_err(|unreadable| {
        let text = format!("OpenReplay's panel would show nothing: {unreadable}");
        (StatusCode::INTERNAL_SERVER_ERROR, text)
    })?;
    let rows = rows.into_iter().zip(records).map(|(row, record)| Row {
        time: row.time_text,
        level: row.level.as_str(),
        message: row.message,
        record,
    });
    Ok(Json(Rows {
        rows: rows.collect(),
    }))
}
