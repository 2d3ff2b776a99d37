//! A failed request logs what failed, once, in its session: over axum, tonic, hyper and plain
//! Tower.

mod axum_app;
mod body;
mod exactly_once;
mod gone;
mod grpc;
mod grpc_web;
mod no_session;
mod options;
mod panics;
mod plain_http;

use std::{
    sync::{
        LazyLock, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use integration_tests::Lines;
use openreplay_session::SessionId;
use serde_json::Value;
use tokio::net::TcpListener;
use tracing_openreplay::{json, log_panics};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

const LIMIT: Duration = Duration::from_secs(60);

static WRITTEN: LazyLock<Lines> = LazyLock::new(Lines::default);

/// A session that no other test has. Starts the process-wide log if it is the first.
fn new_session() -> SessionId {
    static LOG: Once = Once::new();
    static NEXT: AtomicU64 = AtomicU64::new(1000);
    LOG.call_once(|| {
        tracing_subscriber::registry()
            .with(
                json()
                    .with_writer(WRITTEN.clone())
                    .with_source_location(false),
            )
            .with(LevelFilter::TRACE)
            .init();
        log_panics();
    });
    SessionId::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A record without its time and its session.
#[derive(Debug, PartialEq)]
struct Logged {
    level: String,
    message: String,
    spans: Vec<Value>,
}

impl Logged {
    fn first_line(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

/// All records of a session so far, without those of hyper, h2 and their like.
fn logged_in(session: SessionId) -> Vec<Logged> {
    let prefix = format!("[openReplaySession.id={session}] ");
    let text = WRITTEN.text();
    let records = text.lines().map(integration_tests::json::object);
    let own = records.filter(|record| {
        let target = record["log.logger"].as_str().unwrap();
        let ours = ["failed_requests", "tower_openreplay", "panic"];
        record["openReplaySession.id"] == session.as_str()
            && ours.iter().any(|name| target.starts_with(name))
    });
    own.map(|record| {
        let level = record["level"].as_str().unwrap();
        assert_eq!(
            record["tags"] == serde_json::json!(["error"]),
            level == "error",
            "{record}"
        );
        Logged {
            level: level.to_owned(),
            message: without_duration(record["message"].as_str().unwrap(), &prefix),
            spans: record["spans"].as_array().cloned().unwrap_or_default(),
        }
    })
    .collect()
}

/// Takes the prefix and the duration out of a message: both differ from run to run.
fn without_duration(message: &str, prefix: &str) -> String {
    let message = message.strip_prefix(prefix).expect("it is in the session");
    let Some((before, after)) = message.split_once("duration_ms=") else {
        return message.to_owned();
    };
    let digits = after
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(after.len());
    let duration: f64 = after[..digits].parse().unwrap();
    assert!(
        (0.0..LIMIT.as_secs_f64() * 1000.0).contains(&duration),
        "{message}"
    );
    format!("{before}duration_ms=_{}", &after[digits..])
}

/// The records of a session once there are so many of them: some are written after the response.
async fn wait_for(session: SessionId, count: usize) -> Vec<Logged> {
    let started = Instant::now();
    loop {
        let records = logged_in(session);
        if records.len() >= count {
            // one too many would come at once
            tokio::time::sleep(Duration::from_millis(50)).await;
            return logged_in(session);
        }
        assert!(started.elapsed() < LIMIT, "{records:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One record, at this level and with this message.
#[track_caller]
fn assert_logged(records: &[Logged], level: &str, message: &str) {
    let [only] = records else {
        panic!("not one record: {records:#?}");
    };
    assert_eq!(
        (only.level.as_str(), only.message.as_str()),
        (level, message)
    );
}

/// Serves an app, and returns its address.
async fn serve(app: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}

/// Sends a request over a socket: status and body of the response.
async fn get(url: String, session: SessionId) -> (u16, String) {
    let send = move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut response = agent
            .get(url)
            .header("openReplaySession.id", session.as_str())
            .header("x-request-id", "r-1")
            .call()
            .unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), body)
    };
    tokio::task::spawn_blocking(send).await.unwrap()
}
