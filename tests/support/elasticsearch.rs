//! A stand-in for Elasticsearch that speaks `_bulk`, keeps the documents, and misbehaves on request.
//!
//! What it answers has the shape of what Elasticsearch 9.1 answers; the tests with the real one hold it to that.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::Value;

/// Listens on a port of its own until dropped.
#[derive(Debug)]
pub struct StandIn {
    url: String,
    shared: Arc<Shared>,
}

/// What to do with one `_bulk` request instead of serving it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Answer this status, with `Retry-After` where seconds are given, and do nothing.
    Status(u16, Option<u32>),
    /// Answer this status for each item whose number can be divided by it, and store the others.
    Items(u16, usize),
    /// Store everything, and answer this status for each item.
    StoredItems(u16),
    /// Answer 400 as a proxy does.
    Proxy400,
    /// Answer 200 with a text that is no answer, having stored everything or nothing.
    Garbage {
        /// Whether the documents are stored.
        stored: bool,
    },
    /// Store everything, and break the connection after so many bytes of the answer.
    HalfAnswer(usize),
    /// Break the connection without an answer, having stored everything or nothing.
    HangUp {
        /// Whether the documents are stored.
        stored: bool,
    },
    /// Serve it, after that time.
    Stall(Duration),
    /// Let the alias lead to a new index of this name, before or after the documents are stored, and hang up.
    RollOver {
        /// The new index.
        to: &'static str,
        /// Whether the documents are stored in the old index, in the new one, or nowhere.
        stored_in: StoredIn,
    },
}

/// Where the documents of a request go that meets a rollover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredIn {
    /// The alias moved on after them.
    Old,
    /// The alias moved on before them.
    New,
    /// They did not get there.
    Nowhere,
}

type Refusal = Box<dyn Fn(&Value) -> bool + Send>;

#[derive(Default)]
struct State {
    /// The index that the alias leads to.
    write_index: Option<String>,
    indices: BTreeMap<String, BTreeMap<String, Value>>,
    faults: VecDeque<Fault>,
    longest_body: Option<usize>,
    refuses: Option<Refusal>,
    authorization: Option<String>,
    alias_only: bool,
    /// What every item is answered that goes to the alias: status, type and reason.
    blocked: Option<(u16, &'static str, &'static str)>,
    /// Texts of all that was received, bodies inflated.
    received: Vec<String>,
    keeps_received: bool,
    requests: usize,
    twice: usize,
    is_gone: bool,
    forgets: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    stop: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl StandIn {
    /// Starts, with the alias `logs` on `logs-000001`.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let shared = Arc::new(Shared::default());
        let stand_in = Self { url, shared };
        stand_in.roll_over("logs-000001");
        let shared = Arc::clone(&stand_in.shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(stream) = stream {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || serve(&stream, &shared));
                }
            }
        });
        stand_in
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Makes an index and lets the alias `logs` lead to it.
    pub fn roll_over(&self, index: &str) {
        self.state().roll_over(index);
    }

    /// Deletes an index; the alias, if it led there, leads nowhere.
    pub fn remove_index(&self, index: &str) {
        let mut state = self.state();
        state.indices.remove(index);
        state.write_index.take_if(|write| write == index);
    }

    /// From now on the alias leads to no index that takes documents: each item is answered with this status, type and
    /// reason, under the name of the alias; `None` ends that.
    pub fn block(&self, answer: Option<(u16, &'static str, &'static str)>) {
        self.state().blocked = answer;
    }

    /// Takes the alias `logs` away.
    pub fn remove_alias(&self) {
        self.state().write_index = None;
    }

    /// The next `_bulk` requests meet these, one each.
    pub fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// How many faults no request has met yet.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.state().faults.len()
    }

    /// Longer bodies are answered with 413.
    pub fn limit_bodies(&self, bytes: usize) {
        self.state().longest_body = Some(bytes);
    }

    /// Documents for which this holds are answered with 400.
    pub fn refuse(&self, refuses: impl Fn(&Value) -> bool + Send + 'static) {
        self.state().refuses = Some(Box::new(refuses));
    }

    /// Anything else in `Authorization` is answered with 401.
    pub fn expect_authorization(&self, header: impl Into<String>) {
        self.state().authorization = Some(header.into());
    }

    /// Writing to an index itself is answered with 403 for each item.
    pub fn allow_alias_only(&self) {
        self.state().alias_only = true;
    }

    /// Keeps no documents from now on, nor looks for an `_id` that is taken.
    pub fn forget(&self) {
        self.state().forgets = true;
    }

    /// Breaks every connection at once (`true`), or serves again.
    pub fn be_gone(&self, gone: bool) {
        self.state().is_gone = gone;
    }

    /// Keeps the text of each request: see [`received`](Self::received).
    pub fn keep_received(&self) {
        self.state().keeps_received = true;
    }

    /// Heads and bodies of the requests so far.
    #[must_use]
    pub fn received(&self) -> Vec<String> {
        self.state().received.clone()
    }

    /// How many requests came in.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// How many documents are there.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.state().indices.values().map(BTreeMap::len).sum()
    }

    /// How many documents were sent again after they had been stored: what 409 answered.
    #[must_use]
    pub fn sent_again(&self) -> usize {
        self.state().twice
    }

    /// The names of all indices.
    #[must_use]
    pub fn indices(&self) -> Vec<String> {
        self.state().indices.keys().cloned().collect()
    }

    /// The documents of one index, in the order of their `_id`.
    #[must_use]
    pub fn documents_in(&self, index: &str) -> Vec<Value> {
        let state = self.state();
        let documents = state
            .indices
            .get(index)
            .into_iter()
            .flat_map(BTreeMap::values);
        documents.cloned().collect()
    }

    /// All documents, in the order of their `_id` within each index.
    #[must_use]
    pub fn documents(&self) -> Vec<Value> {
        let state = self.state();
        let documents = state.indices.values().flat_map(BTreeMap::values);
        documents.cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // lets go of `accept`
        drop(TcpStream::connect(self.address()));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Request {
    path: String,
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// One connection, until either side ends it.
fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some(mut request)) = read(&mut reader) {
        let length = request.body.len();
        if request.header("content-encoding") == Some("gzip") {
            let mut inflated = Vec::new();
            if GzDecoder::new(&request.body[..])
                .read_to_end(&mut inflated)
                .is_err()
            {
                let _ = respond(stream, 400, None, "{}");
                return;
            }
            request.body = inflated;
        }
        if handle(stream, &request, length, shared).is_err() || shared.stop.load(Ordering::Relaxed)
        {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if head.len() - before <= 2 {
            break;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut request = Request {
        path,
        head,
        body: Vec::new(),
    };
    let length: usize = request
        .header("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// An error ends the connection.
fn handle(stream: &TcpStream, request: &Request, length: usize, shared: &Shared) -> io::Result<()> {
    let hang_up = || Err(io::ErrorKind::ConnectionAborted.into());
    let mut state = shared.state();
    if state.is_gone {
        return hang_up();
    }
    state.requests += 1;
    if state.keeps_received {
        let text = format!("{}{}", request.head, String::from_utf8_lossy(&request.body));
        state.received.push(text);
    }
    if state.authorization.is_some()
        && state.authorization.as_deref() != request.header("authorization")
    {
        drop(state);
        return respond(
            stream,
            401,
            None,
            r#"{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}"#,
        );
    }
    let target = request
        .path
        .trim_start_matches('/')
        .split(['/', '?'])
        .next()
        .unwrap_or_default();
    if request.head.starts_with("HEAD ") {
        let status = if state.resolve(target).is_some() {
            200
        } else {
            404
        };
        drop(state);
        return respond(stream, status, None, "");
    }
    if state.longest_body.is_some_and(|longest| length > longest) {
        drop(state);
        return respond(stream, 413, None, "{}");
    }
    // questions of a few lines are served, so that a test's faults meet the records
    let is_question = is_question(&request.body);
    let fault = if is_question {
        None
    } else {
        state.faults.pop_front()
    };
    let require_alias = request.path.contains("require_alias=true");
    match fault {
        None => {
            let answer = state.bulk(target, require_alias, &request.body, None);
            drop(state);
            respond(stream, 200, None, &answer)
        }
        Some(Fault::Status(status, seconds)) => {
            drop(state);
            respond(
                stream,
                status,
                seconds,
                r#"{"error":{"type":"told_to","reason":"as told"}}"#,
            )
        }
        Some(Fault::Items(status, every)) => {
            let answer = state.bulk(target, require_alias, &request.body, Some((status, every)));
            drop(state);
            respond(stream, 200, None, &answer)
        }
        Some(Fault::StoredItems(status)) => {
            state.bulk(target, require_alias, &request.body, None);
            let answer = state.bulk(target, require_alias, &request.body, Some((status, 1)));
            drop(state);
            respond(stream, 200, None, &answer)
        }
        Some(Fault::Proxy400) => {
            drop(state);
            respond(stream, 400, None, "<html>Bad Request</html>")
        }
        Some(Fault::Garbage { stored }) => {
            if stored {
                state.bulk(target, require_alias, &request.body, None);
            }
            drop(state);
            respond(stream, 200, None, "<html>welcome</html>")
        }
        Some(Fault::HalfAnswer(bytes)) => {
            let answer = state.bulk(target, require_alias, &request.body, None);
            drop(state);
            let whole = response(200, None, &answer);
            let mut stream = stream;
            stream.write_all(&whole[..bytes.min(whole.len() - 1)])?;
            hang_up()
        }
        Some(Fault::HangUp { stored }) => {
            if stored {
                state.bulk(target, require_alias, &request.body, None);
            }
            hang_up()
        }
        Some(Fault::RollOver { to, stored_in }) => {
            if stored_in == StoredIn::Old {
                state.bulk(target, require_alias, &request.body, None);
            }
            state.roll_over(to);
            if stored_in == StoredIn::New {
                state.bulk(target, require_alias, &request.body, None);
            }
            hang_up()
        }
        Some(Fault::Stall(time)) => {
            drop(state);
            thread::sleep(time);
            let answer = shared
                .state()
                .bulk(target, require_alias, &request.body, None);
            respond(stream, 200, None, &answer)
        }
    }
}

fn is_question(body: &[u8]) -> bool {
    let document = body.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    !document.starts_with(b"{")
        || body
            .windows(10)
            .take(80)
            .any(|text| text == b"\"routing\":")
}

fn respond(
    mut stream: &TcpStream,
    status: u16,
    seconds: Option<u32>,
    body: &str,
) -> io::Result<()> {
    stream.write_all(&response(status, seconds, body))
}

fn response(status: u16, seconds: Option<u32>, body: &str) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status} As told\r\nX-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    if let Some(seconds) = seconds {
        let _ = write!(head, "retry-after: {seconds}\r\n");
    }
    format!("{head}\r\n{body}").into_bytes()
}

impl State {
    fn roll_over(&mut self, index: &str) {
        self.indices.entry(index.to_owned()).or_default();
        self.write_index = Some(index.to_owned());
    }

    /// Does what `_bulk` does, `create` only; `every` fails each so many-th item.
    fn bulk(
        &mut self,
        target: &str,
        require_alias: bool,
        body: &[u8],
        every: Option<(u16, usize)>,
    ) -> String {
        let mut lines = body.split(|byte| *byte == b'\n');
        let mut items = Vec::new();
        while let (Some(action), Some(document)) = (lines.next(), lines.next()) {
            let action: Value = serde_json::from_slice(action).expect("an action");
            let told = every.filter(|(_, every)| items.len().is_multiple_of(*every));
            let (index, status) = match told {
                Some((status, _)) => (self.resolve(target).unwrap_or(target).to_owned(), status),
                None => self.create(target, require_alias, &action["create"], document),
            };
            let (name, reason) = match (status, self.blocked) {
                (_, Some((_, name, reason))) if index == "logs" => (name, reason),
                (400, _) => ("document_parsing_exception", "as told"),
                (403, _) => ("security_exception", "as told"),
                (404, _) => ("index_not_found_exception", "as told"),
                (409, _) => ("version_conflict_engine_exception", "as told"),
                (429, _) => ("es_rejected_execution_exception", "as told"),
                (503, _) => ("unavailable_shards_exception", "as told"),
                _ => ("null_pointer_exception", "as told"),
            };
            let error = if status < 300 {
                String::new()
            } else {
                format!(r#","error":{{"type":"{name}","reason":"{reason}"}}"#)
            };
            items.push(format!(
                r#"{{"create":{{"_index":"{index}","status":{status}{error}}}}}"#
            ));
        }
        format!(r#"{{"items":[{}]}}"#, items.join(","))
    }

    fn resolve<'a>(&'a self, target: &'a str) -> Option<&'a str> {
        if target == "logs" {
            return self.write_index.as_deref();
        }
        self.indices.contains_key(target).then_some(target)
    }

    fn create(
        &mut self,
        target: &str,
        require_alias: bool,
        action: &Value,
        document: &[u8],
    ) -> (String, u16) {
        if self.alias_only && target != "logs" {
            return (target.to_owned(), 403);
        }
        if require_alias && target != "logs" {
            return (target.to_owned(), 404);
        }
        if let Some((status, ..)) = self.blocked.filter(|_| target == "logs") {
            return (target.to_owned(), status);
        }
        if !require_alias && self.resolve(target).is_none() {
            // as for somebody who may make indices
            self.indices.entry(target.to_owned()).or_default();
        }
        let Some(index) = self.resolve(target).map(str::to_owned) else {
            return (target.to_owned(), 404);
        };
        if !document.starts_with(b"{") {
            return (index, 500);
        }
        if self.forgets {
            return (index, 201);
        }
        let Ok(document) = serde_json::from_slice::<Value>(document) else {
            return (index, 400);
        };
        if self
            .refuses
            .as_ref()
            .is_some_and(|refuses| refuses(&document))
        {
            return (index, 400);
        }
        let id = action["_id"].as_str().expect("an _id").to_owned();
        let documents = self.indices.get_mut(&index).expect("it is there");
        if documents.contains_key(&id) {
            self.twice += 1;
            return (index, 409);
        }
        if action["routing"]
            .as_str()
            .is_some_and(|routing| routing.len() > 32_766)
        {
            return (index, 400);
        }
        documents.insert(id, document);
        (index, 201)
    }
}
