//! The real engines of `tests/engines`: at most one of each kind runs in a test binary, and the
//! tests take turns.

mod node;

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use self::node::Node;

/// The user who may do everything on [`Elasticsearch`].
pub const USER: &str = "elastic";
/// The password of [`USER`].
pub const PASSWORD: &str = "fixture-password";

const START_LIMIT: Duration = Duration::from_secs(120);

static ELASTICSEARCH: Kind = Kind::new("elasticsearch", "9.1.0", true);
static ELASTICSEARCH_8: Kind = Kind::new("elasticsearch", "8.19.0", true);
static OPENSEARCH: Kind = Kind::new("opensearch", "3.4.0", false);

/// Elasticsearch 9.1 with security: [`USER`] and [`PASSWORD`].
#[derive(Debug)]
pub struct Elasticsearch;

impl Elasticsearch {
    /// A running and empty engine, the caller's alone until dropped.
    ///
    /// # Panics
    ///
    /// When it cannot be started: `scripts/install` has not run.
    #[must_use]
    pub fn start() -> Engine {
        Engine::lease(&ELASTICSEARCH)
    }
}

/// Elasticsearch 8.19 with security: [`USER`] and [`PASSWORD`].
#[derive(Debug)]
pub struct Elasticsearch8;

impl Elasticsearch8 {
    /// A running and empty engine, the caller's alone until dropped.
    ///
    /// # Panics
    ///
    /// When it cannot be started: `scripts/install` has not run.
    #[must_use]
    pub fn start() -> Engine {
        Engine::lease(&ELASTICSEARCH_8)
    }
}

/// OpenSearch 3.4 without security.
#[derive(Debug)]
pub struct OpenSearch;

impl OpenSearch {
    /// A running and empty engine, the caller's alone until dropped.
    ///
    /// # Panics
    ///
    /// When it cannot be started: `scripts/install` has not run.
    #[must_use]
    pub fn start() -> Engine {
        Engine::lease(&OPENSEARCH)
    }
}

/// A test's turn with an engine. Its process stays for the next turn, and ends with the test
/// binary.
#[derive(Debug)]
pub struct Engine {
    kind: &'static Kind,
    url: String,
}

impl Engine {
    fn lease(kind: &'static Kind) -> Self {
        let mut busy = lock(&kind.busy);
        while *busy {
            busy = kind
                .freed
                .wait(busy)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *busy = true;
        drop(busy);

        // from here on, so that a panic ends the turn
        let mut engine = Self {
            kind,
            url: String::new(),
        };
        let mut node = lock(&kind.node);
        if !node.as_mut().is_some_and(Node::is_running) {
            *node = None;
            *node = Some(Node::start(kind));
        }
        let port = node.as_ref().map_or(0, |node| node.port);
        drop(node);
        engine.url = format!("http://127.0.0.1:{port}");
        engine.await_ready();
        engine.wipe();
        engine
    }

    /// `http://127.0.0.1:PORT`, the same after a restart.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Ends the engine at once, as SIGKILL does.
    pub fn kill(&self) {
        if let Some(node) = lock(&self.kind.node).as_mut() {
            node.kill();
        }
    }

    /// Starts the killed engine again with the same data and port, and waits until it serves.
    pub fn restart(&self) {
        let mut node = lock(&self.kind.node);
        let node = node.as_mut().expect("the turn started one");
        node.kill();
        node.spawn(self.kind);
        self.await_ready();
    }

    /// Lets the engine hang: it accepts connections and responds to nothing.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Sends a request as [`USER`]; returns the status, and the response if it is JSON.
    ///
    /// # Panics
    ///
    /// If the engine does not respond.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_request(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// As [`request`](Self::request), where only success will do.
    ///
    /// # Panics
    ///
    /// If the response is an error.
    #[track_caller]
    pub fn ok(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, response) = self.request(method, path, body);
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {response}"
        );
        response
    }

    fn try_request(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, Value), ureq::Error> {
        let basic = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let content = if path.contains("_bulk") {
            "application/x-ndjson"
        } else {
            "application/json"
        };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", content);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let mut response = if body.is_empty() {
            agent.run(request.body(())?)?
        } else {
            agent.run(request.body(body)?)?
        };
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// On a new data folder the security index comes a moment after the HTTP port.
    fn await_ready(&self) {
        self.await_ok("/_cluster/health");
    }

    fn await_ok(&self, path: &str) {
        let started = Instant::now();
        while !matches!(self.try_request("GET", path, ""), Ok((200, _))) {
            assert!(
                started.elapsed() < START_LIMIT,
                "{} does not become ready",
                self.url
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn wipe(&self) {
        self.request("DELETE", "/_data_stream/*", "");
        let indices = self.ok("GET", "/_cat/indices?format=json&h=index", "");
        for row in indices.as_array().into_iter().flatten() {
            let name = row["index"].as_str().expect("a name");
            if !name.starts_with('.') {
                self.ok("DELETE", &format!("/{name}"), "");
            }
        }
        let templates = self.ok("GET", "/_index_template", "");
        for template in templates["index_templates"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let name = template["name"].as_str().expect("a name");
            if template["index_template"]["_meta"]["managed"] != true {
                self.ok("DELETE", &format!("/_index_template/{name}"), "");
            }
        }
        // where the engine has none, there is nothing to remove
        self.request("DELETE", "/_ingest/pipeline/*", "");
        if self.kind.secured {
            self.wipe_security();
        }
    }

    fn wipe_security(&self) {
        for kind in ["user", "role"] {
            let path = format!("/_security/{kind}");
            self.await_ok(&path);
            let all = self.ok("GET", &path, "");
            for (name, one) in all.as_object().into_iter().flatten() {
                if one["metadata"]["_reserved"] != true {
                    self.ok("DELETE", &format!("/_security/{kind}/{name}"), "");
                }
            }
        }
        let keys = self.ok("GET", "/_security/api_key?active_only=true", "");
        let ids: Vec<_> = keys["api_keys"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|key| &key["id"])
            .collect();
        if !ids.is_empty() {
            let which = serde_json::json!({ "ids": ids }).to_string();
            self.ok("DELETE", "/_security/api_key", &which);
        }
    }

    fn signal(&self, signal: &str) {
        if let Some(node) = lock(&self.kind.node).as_ref() {
            node.signal(signal);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // a test may have failed before it did
        self.signal("-CONT");
        *lock(&self.kind.busy) = false;
        self.kind.freed.notify_one();
    }
}

#[derive(Debug)]
struct Kind {
    name: &'static str,
    version: &'static str,
    secured: bool,
    busy: Mutex<bool>,
    freed: Condvar,
    node: Mutex<Option<Node>>,
}

impl Kind {
    const fn new(name: &'static str, version: &'static str, secured: bool) -> Self {
        Self {
            name,
            version,
            secured,
            busy: Mutex::new(false),
            freed: Condvar::new(),
            node: Mutex::new(None),
        }
    }
}

/// The root of the repository.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
