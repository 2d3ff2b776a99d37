//! A stand-in for OpenReplay's ingest: what the tracker needs to start and go on, and nothing more.

use std::{
    io::Read as _,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::HeaderMap,
    routing::{get, post},
};
use flate2::read::GzDecoder;
use openreplay_session::SessionId;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

/// The recordings that it received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ingest {
    batches: watch::Sender<Vec<Vec<u8>>>,
}

impl Ingest {
    /// How many pieces of a recording arrived.
    pub(crate) fn batches(&self) -> usize {
        self.batches.borrow().len()
    }

    /// Whether a piece of a recording contains the text.
    pub(crate) fn has_recorded(&self, text: &str) -> bool {
        contains(&self.batches.borrow(), text)
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/ingest/v1/web/start", post(start))
            .route(
                "/ingest/v1/web/tags",
                get(async || Json(json!({ "tags": [] }))),
            )
            .route("/ingest/v1/web/i", post(batch))
            .route("/ingest/recorded", get(recorded))
            .with_state(self.clone())
    }
}

// a page that comes with a token goes on with its session, as after a reload
async fn start(body: Bytes) -> Json<Value> {
    let asked: Value = serde_json::from_slice(&body).expect("the tracker sends JSON");
    let session = match asked["token"].as_str() {
        Some(token) => SessionId::from_token(token).expect("it is one of ours"),
        None => new_session(),
    };
    Json(json!({
        "token": token(session),
        "userUUID": "3f0c6b1e-6f55-4b6c-9d9b-0d6a0ea1c0de",
        "sessionID": session.as_str(),
        "projectID": "1",
        "delay": 0,
        // OpenReplay computes it from the id as well (`startSessionHandlerWeb` in
        // `backend/pkg/sessions/api/web/handlers.go`)
        "startTimestamp": SESSIONS_SINCE + (session.as_u64().expect("a number") >> 24),
        "beaconSizeLimit": 1_000_000,
    }))
}

async fn batch(State(ingest): State<Ingest>, headers: HeaderMap, body: Bytes) {
    let encoding = headers
        .get("content-encoding")
        .map(axum::http::HeaderValue::as_bytes);
    let piece = match encoding {
        None => body.to_vec(),
        Some(b"gzip") => {
            let mut piece = Vec::new();
            let read = GzDecoder::new(&body[..]).read_to_end(&mut piece);
            read.expect("the tracker sends valid gzip");
            piece
        }
        Some(other) => panic!("unknown encoding: {}", String::from_utf8_lossy(other)),
    };
    ingest.batches.send_modify(|batches| batches.push(piece));
}

#[derive(Deserialize)]
struct Recorded {
    #[serde(default)]
    text: String,
}

/// For a test's script: responds once a piece of a recording that contains the text has arrived.
async fn recorded(State(ingest): State<Ingest>, Query(Recorded { text }): Query<Recorded>) {
    let mut batches = ingest.batches.subscribe();
    let arrived = batches.wait_for(|batches| contains(batches, &text)).await;
    arrived.expect("the ingest holds the sender");
}

fn contains(batches: &[Vec<u8>], text: &str) -> bool {
    let mut pieces = batches.iter();
    pieces.any(|piece| String::from_utf8_lossy(piece).contains(text))
}

/// Ids of today's size: larger than what a JavaScript number holds.
fn new_session() -> SessionId {
    static LAST: AtomicU64 = AtomicU64::new(4_950_498_349_085_463_837);
    SessionId::from(LAST.fetch_add(1 << 24, Ordering::Relaxed))
}

/// A token of OpenReplay's form: id, delay and expiry in base 36, and a signature.
fn token(session: SessionId) -> String {
    let id = session.as_u64().expect("made from a number");
    format!("{}.0.mkb4q5xs.{SIGNATURE}", base36(id))
}

/// The time that ids count from, in milliseconds since 1970 (`backend/pkg/flakeid/flakeid.go`).
const SESSIONS_SINCE: u64 = 1_550_000_000_000;

/// Searched for in everything that is written: the credential part of each token.
pub(crate) const SIGNATURE: &str = "4YCTxcTaFVmdKVzHfzHrB8mB3nCyP1kZRuwYbtpYtY2u";

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        let digit = u32::try_from(number % 36).expect("below 36");
        digits.push(char::from_digit(digit, 36).expect("below 36"));
        number /= 36;
    }
    digits.iter().rev().collect()
}
