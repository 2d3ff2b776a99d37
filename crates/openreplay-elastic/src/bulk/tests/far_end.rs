use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

/// Answers `_bulk` as it is told to, and keeps what it is not told otherwise of. Its thread ends with its last connection.
pub(super) struct FarEnd {
    url: String,
    state: Arc<Mutex<State>>,
}

pub(super) struct Request<'a> {
    /// The index, or the alias.
    pub(super) target: &'a str,
    pub(super) bytes: usize,
    pub(super) documents: &'a [Value],
}

pub(super) enum Reply {
    /// Stores it all.
    Store,
    /// A status for each: 201 stores it. They are answered under this name.
    Items(&'static str, Vec<u16>),
    /// A status for the whole, further headers, and an error's name; none where it is a proxy that says so.
    Whole(u16, &'static str, &'static str),
    /// Stores it all, and says nothing.
    HangUp,
}

type Decide = Box<dyn FnMut(&Request<'_>) -> Reply + Send>;

struct State {
    decide: Decide,
    documents: BTreeMap<String, Value>,
    requests: Vec<String>,
    questions: usize,
}

impl FarEnd {
    pub(super) fn new(decide: impl FnMut(&Request<'_>) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            decide: Box::new(decide),
            documents: BTreeMap::new(),
            requests: Vec::new(),
            questions: 0,
        }));
        let its = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&its);
                thread::spawn(move || while serve(&stream, &state).is_ok_and(|goes_on| goes_on) {});
            }
        });
        Self { url, state }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What is stored, by `_id`.
    pub(super) fn documents(&self) -> Vec<Value> {
        self.state
            .lock()
            .unwrap()
            .documents
            .values()
            .cloned()
            .collect()
    }

    /// The messages of the documents that an app wrote whole, in the order of their `_id`.
    pub(super) fn whole(&self) -> usize {
        let documents = self.documents();
        documents
            .iter()
            .filter(|one| one.get("number").is_some())
            .count()
    }

    /// Where records were sent to so far, questions left out.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How often the index behind the alias was asked for.
    pub(super) fn questions(&self) -> usize {
        self.state.lock().unwrap().questions
    }
}

fn serve(mut stream: &TcpStream, state: &Mutex<State>) -> io::Result<bool> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        head.push_str(&std::mem::take(&mut line).to_lowercase());
    }
    if head.is_empty() {
        return Ok(false);
    }
    let length = head.split("content-length: ").nth(1).unwrap_or("0");
    let length = length.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if head.contains("content-encoding: gzip") {
        let mut inflated = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut inflated)?;
        body = inflated;
    }
    let target = head.split(['/', '?', ' ']).nth(2).unwrap();
    let answer = if head.starts_with("get / ") {
        Some((200, "", "{}".to_owned()))
    } else {
        match answer(target, &body, length, &mut state.lock().unwrap()) {
            _ if head.starts_with("head ") => Some((200, "", String::new())),
            answer => answer,
        }
    };
    let Some((status, headers, body)) = answer else {
        return Ok(false);
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes())?;
    Ok(true)
}

/// Status, further headers, body; `None` for none.
fn answer(
    target: &str,
    body: &[u8],
    bytes: usize,
    state: &mut State,
) -> Option<(u16, &'static str, String)> {
    let lines: Vec<Value> = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let ids: Vec<_> = lines
        .iter()
        .step_by(2)
        .map(|line| line["create"]["_id"].as_str())
        .collect();
    let documents: Vec<_> = lines.iter().skip(1).step_by(2).cloned().collect();
    if !documents.iter().all(Value::is_object) {
        state.questions += 1;
        return Some((200, "", items("logs-1", &[400])));
    }
    state.requests.push(target.to_owned());
    let request = Request {
        target,
        bytes,
        documents: &documents,
    };
    let reply = (state.decide)(&request);
    let (index, mut statuses) = match &reply {
        Reply::Whole(status, headers, name) => {
            let body = match *name {
                "" => "<html>as told</html>".to_owned(),
                name => json!({"error": {"type": name, "reason": "as told"}}).to_string(),
            };
            return Some((*status, headers, body));
        }
        Reply::Items(index, statuses) => (*index, statuses.clone()),
        Reply::Store | Reply::HangUp => ("logs-1", vec![201; documents.len()]),
    };
    for ((id, document), status) in ids.iter().zip(documents).zip(&mut statuses) {
        match state.documents.entry(id.unwrap().to_owned()) {
            // who may not write there is not told what there is
            _ if *status == 403 => {}
            Entry::Occupied(_) => *status = 409,
            Entry::Vacant(place) if *status == 201 => {
                place.insert(document);
            }
            Entry::Vacant(_) => {}
        }
    }
    match reply {
        Reply::HangUp => None,
        _ => Some((200, "", items(index, &statuses))),
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
