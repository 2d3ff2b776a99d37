//! The real engines of `tests/engines`: at most one of each kind runs in a test binary, and the tests take turns.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

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

/// A test's turn with an engine. Its process stays for the next turn, and ends with the test binary.
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

    /// Lets the engine hang: it accepts connections and answers nothing.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Sends a request as [`USER`]; gives the status, and the answer where it is JSON.
    ///
    /// # Panics
    ///
    /// When the engine does not answer.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_request(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// As [`request`](Self::request), where only success will do.
    ///
    /// # Panics
    ///
    /// On any answer that is no success.
    #[track_caller]
    pub fn ok(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = self.request(method, path, body);
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
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
        let mut answer = if body.is_empty() {
            agent.run(request.body(())?)?
        } else {
            agent.run(request.body(body)?)?
        };
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string()?;
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
        let mut node = lock(&self.kind.node);
        if let Some(child) = node.as_mut().and_then(|node| node.child.as_mut()) {
            let done = Command::new("kill")
                .args([signal, &child.id().to_string()])
                .status()
                .expect("kill runs");
            assert!(done.success(), "kill {signal}");
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

/// One engine process after the other on the same port and data folder.
#[derive(Debug)]
struct Node {
    child: Option<Child>,
    data: PathBuf,
    port: u16,
}

impl Node {
    /// On a port that nobody else took while the engine was starting.
    fn start(kind: &Kind) -> Self {
        let data = workspace().join(format!(
            "target/engines/data/{}-{}-{}",
            kind.name,
            kind.version,
            std::process::id()
        ));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).expect("a data folder");
        let mut node = Self {
            child: None,
            data,
            port: 0,
        };
        for _ in 0..3 {
            node.port = free_port();
            match node.try_spawn(kind) {
                Ok(()) => return node,
                Err(said) if is_port_taken(&said) => node.kill(),
                Err(said) => panic!("{said}"),
            }
        }
        panic!("three free ports were taken by others");
    }

    fn spawn(&mut self, kind: &Kind) {
        self.try_spawn(kind).unwrap_or_else(|said| panic!("{said}"));
    }

    /// Gives what it said where it does not start.
    fn try_spawn(&mut self, kind: &Kind) -> Result<(), String> {
        let log = self.data.join("stderr.log");
        let mut command = Command::new(
            workspace()
                .join("tests/engines")
                .join(kind.name)
                .join("run"),
        );
        command
            .arg(&self.data)
            .arg(self.port.to_string())
            .arg(kind.version)
            // its end of this pipe closes with this process, however that ends
            .env("EPHEMERAL", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log file"));
        if kind.secured {
            command.env("ELASTIC_PASSWORD", PASSWORD);
        }
        let mut child = command.spawn().expect("the engine's run script starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        self.child = Some(child);

        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // its log, which is kept flowing after that
                let _ = ready.send(line);
            }
        });
        let started = Instant::now();
        let mut said = Vec::new();
        loop {
            match is_ready.recv_timeout(Duration::from_secs(1)) {
                Ok(line) if line.starts_with("READY ") => return Ok(()),
                Ok(line) => said.push(line),
                Err(error) => {
                    let log = fs::read_to_string(&log).unwrap_or_default();
                    // other threads may keep the process alive
                    let has_ended = error == RecvTimeoutError::Disconnected
                        || log.contains("Exception in thread \"main\"");
                    if has_ended || started.elapsed() > START_LIMIT {
                        let said = said.join("\n");
                        return Err(format!(
                            "{} {} did not start; has scripts/install run? It said:\n{said}\n{log}",
                            kind.name, kind.version
                        ));
                    }
                }
            }
        }
    }

    fn is_running(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is a child of ours");
            child.wait().expect("it is a child of ours");
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.data);
    }
}

fn is_port_taken(said: &str) -> bool {
    said.contains("BindException: Address already in use")
}

pub(crate) fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Below the range that outgoing connections take theirs from: it has to be free again for a restart. No port is given twice,
/// since an engine takes a while to bind its own.
fn free_port() -> u16 {
    static GIVEN: Mutex<u16> = Mutex::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 1_000 * 10).expect("it is small");
    let mut given = lock(&GIVEN);
    *given = (first.max(*given + 1)..32_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of thousands of ports is free");
    *given
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
