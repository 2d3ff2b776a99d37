//! A stand-in for Elasticsearch for which a closure decides what becomes of each request.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::http::{self, Outcome, Response, Server};

/// Responds to `_bulk` as the closure decides, and keeps the documents.
pub struct Scripted {
    server: Server,
    state: Arc<Mutex<State>>,
}

/// A `_bulk` request with records.
#[derive(Debug)]
pub struct Request<'a> {
    /// The index, or the alias.
    pub target: &'a str,
    /// The length of the body as it came.
    pub bytes: usize,
    /// The documents.
    pub documents: &'a [Value],
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// Stores all documents.
    Store,
    /// Responds with the name of an index and a status for each document: 201 stores it.
    Items(&'static str, Vec<u16>),
    /// Responds with one status, a value of `Retry-After`, and the type of an error. An empty type
    /// stands for a proxy's response.
    Whole(u16, Option<u32>, &'static str),
    /// Stores all documents, and does not respond.
    HangUp,
}

type Decide = Box<dyn FnMut(&Request<'_>) -> Reply + Send>;

struct State {
    decide: Decide,
    documents: BTreeMap<String, Value>,
    requests: Vec<String>,
    questions: usize,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted").finish_non_exhaustive()
    }
}

impl Scripted {
    /// Starts on a port of its own.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn new(decide: impl FnMut(&Request<'_>) -> Reply + Send + 'static) -> Self {
        let state = Arc::new(Mutex::new(State {
            decide: Box::new(decide),
            documents: BTreeMap::new(),
            requests: Vec::new(),
            questions: 0,
        }));
        let its = Arc::clone(&state);
        let server = Server::start(move |request| respond(request, &mut lock(&its)));
        Self { server, state }
    }

    /// Returns `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Returns the stored documents, in the order of their `_id`.
    #[must_use]
    pub fn documents(&self) -> Vec<Value> {
        lock(&self.state).documents.values().cloned().collect()
    }

    /// Returns the target of each request with records so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state).requests.clone()
    }

    /// Returns how often a request queried the index behind the alias.
    #[must_use]
    pub fn questions(&self) -> usize {
        lock(&self.state).questions
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn respond(request: &http::Request, state: &mut State) -> Outcome {
    match (request.method(), request.path()) {
        ("HEAD", _) => return Outcome::Respond(Response::new(200, "")),
        // which engine it is
        ("GET", "/") => return Outcome::Respond(Response::new(200, "{}")),
        _ => {}
    }
    let lines: Vec<Value> = request
        .body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("JSON"))
        .collect();
    let actions = lines.iter().step_by(2);
    let ids: Vec<_> = actions.map(|line| line["create"]["_id"].as_str()).collect();
    let documents: Vec<_> = lines.iter().skip(1).step_by(2).cloned().collect();
    if !documents.iter().all(Value::is_object) {
        state.questions += 1;
        return Outcome::Respond(Response::new(200, items("logs-1", &[400])));
    }
    state.requests.push(request.target().to_owned());
    let reply = (state.decide)(&Request {
        target: request.target(),
        bytes: request.length,
        documents: &documents,
    });
    let (index, mut statuses) = match &reply {
        Reply::Whole(status, retry_after, name) => {
            return Outcome::Respond(whole(*status, *retry_after, name));
        }
        Reply::Items(index, statuses) => (*index, statuses.clone()),
        Reply::Store | Reply::HangUp => ("logs-1", vec![201; documents.len()]),
    };
    for ((id, document), status) in ids.iter().zip(documents).zip(&mut statuses) {
        store(state, id.expect("an _id"), document, status);
    }
    match reply {
        Reply::HangUp => Outcome::HangUp,
        _ => Outcome::Respond(Response::new(200, items(index, &statuses))),
    }
}

/// Stores a document whose status is 201, unless its `_id` exists.
fn store(state: &mut State, id: &str, document: Value, status: &mut u16) {
    match state.documents.entry(id.to_owned()) {
        // who may not write there is not told what there is
        _ if *status == 403 => {}
        Entry::Occupied(_) => *status = 409,
        Entry::Vacant(place) if *status == 201 => {
            place.insert(document);
        }
        Entry::Vacant(_) => {}
    }
}

fn whole(status: u16, retry_after: Option<u32>, name: &str) -> Response {
    let body = match name {
        "" => "<html>as told</html>".to_owned(),
        name => json!({"error": {"type": name, "reason": "as told"}}).to_string(),
    };
    let response = Response::new(status, body);
    match retry_after {
        Some(seconds) => response.with_header("retry-after", seconds),
        None => response,
    }
}

fn items(index: &str, statuses: &[u16]) -> String {
    let items: Vec<_> = statuses
        .iter()
        .map(|status| match status {
            201 => json!({"create": {"_index": index, "status": 201}}),
            _ => {
                let name = match status {
                    400 => "illegal_argument_exception",
                    403 => "security_exception",
                    _ => "some_exception",
                };
                let error = json!({"type": name, "reason": "as told"});
                json!({"create": {"_index": index, "status": status, "error": error}})
            }
        })
        .collect();
    json!({"items": items}).to_string()
}
