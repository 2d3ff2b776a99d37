//! A store in the place of Elasticsearch: it is recognised, and gets records and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use integration_tests::{CommandOutput, ship::ship};
use openreplay_store::{Keys, Store};
use serde_json::json;
use tempfile::TempDir;

use crate::support::*;

/// A store that is served, and each request to it.
struct Served {
    store: Store,
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let its = Arc::clone(&requests);
        let note = middleware::from_fn(move |request: Request, next: Next| {
            let (method, uri) = (request.method(), request.uri());
            // a question has a record that cannot be stored, and goes past pipelines
            let is_question = uri.query().is_some_and(|query| query.contains("pipeline"));
            let what = if is_question { "question to " } else { "" };
            let line = format!("{what}{method} {}", uri.path());
            its.lock().unwrap().push(line);
            next.run(request)
        });
        let app = Router::new()
            .fallback_service(store.service(Keys::none()))
            .layer(note);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async { axum::serve(listener, app).await.unwrap() });
        Self {
            store,
            url,
            requests,
            folder,
            _runtime: runtime,
        }
    }

    /// Each once.
    fn kinds(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        BTreeSet::from_iter(requests.iter().cloned())
            .into_iter()
            .collect()
    }

    fn records(&self) -> usize {
        self.store.session(&7.into(), 1_000).unwrap().len()
    }
}

/// A record of session 7 whose time is now.
fn fresh(number: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let time = u64::try_from(now.unwrap().as_millis()).unwrap() + number;
    let message = format!("[openReplaySession.id=7] record {number}");
    json!({"@timestamp": time, "level": "info", "message": message}).to_string()
}

#[test]
fn the_writer_queries_a_store_once_and_then_sends_records_only() {
    let served = Served::start();
    let (writer, guard) = quick(&served.url).build().unwrap();
    for round in 1..=5 {
        writer.write_line(fresh(round).as_bytes());
        assert!(guard.flush(LIMIT).is_complete());
    }
    assert!(guard.shutdown(Duration::from_secs(60)).is_complete());
    assert_eq!(served.records(), 5);
    assert_eq!(served.kinds(), ["GET /", "POST /logs/_bulk"]);
    let requests = served.requests.lock().unwrap();
    let requests = requests
        .iter()
        .filter(|request| *request == "GET /")
        .count();
    assert_eq!(requests, 1, "{requests:?}");
}

#[test]
fn ship_queries_a_store_at_its_start_only_and_pins_records_without_a_query() {
    let served = Served::start();
    let folder = served.folder.path();
    let lines: Vec<_> = (0..100).map(fresh).collect();
    fs::write(folder.join("app.log"), lines.join("\n") + "\n").unwrap();
    let output = CommandOutput::of(ship(&served.url, folder, "app.log").arg("--once"));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(served.records(), 100);
    assert_eq!(
        served.kinds(),
        [
            "GET /",
            "HEAD /",
            "POST /logs-000001/_bulk",
            "question to POST /logs/_bulk"
        ]
    );
}
