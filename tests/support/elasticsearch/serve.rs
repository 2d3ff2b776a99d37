//! A connection: each request meets its fault, or is served.

use std::io::{BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::thread;

use super::Shared;
use super::fault::{Fault, StoredIn};
use super::http::{Answer, Request};
use super::state::State;

/// One connection, until either side ends it.
pub(super) fn serve(mut stream: &TcpStream, shared: &Arc<Shared>) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some(request)) = Request::read(&mut reader) {
        let (bytes, ends) = match handle(&request, shared) {
            Outcome::Answer(answer) => (answer.bytes(), false),
            Outcome::Half(answer, length) => {
                let mut bytes = answer.bytes();
                bytes.truncate(length.min(bytes.len() - 1));
                (bytes, true)
            }
            Outcome::HangUp => break,
        };
        if stream.write_all(&bytes).is_err() || ends || shared.stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

enum Outcome {
    Answer(Answer),
    /// Only so many bytes of it, and the end.
    Half(Answer, usize),
    HangUp,
}

fn handle(request: &Request, shared: &Arc<Shared>) -> Outcome {
    let mut state = shared.state();
    if state.is_gone {
        return Outcome::HangUp;
    }
    // once a minute, and no part of any test
    if request.head.starts_with("GET / ") {
        return Outcome::Answer(Answer::new(200, r#"{"tagline":"You Know, for Search"}"#));
    }
    state.requests += 1;
    if state.keeps_received {
        let text = format!("{}{}", request.head, String::from_utf8_lossy(&request.body));
        state.received.push(text);
    }
    if state.authorization.is_some()
        && state.authorization.as_deref() != request.header("authorization")
    {
        let error = r#"{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}"#;
        return Outcome::Answer(Answer::new(401, error));
    }
    if request.head.starts_with("HEAD ") {
        let status = if state.resolve(target(request)).is_some() {
            200
        } else {
            404
        };
        return Outcome::Answer(Answer::new(status, ""));
    }
    if state
        .longest_body
        .is_some_and(|longest| request.length > longest)
    {
        return Outcome::Answer(Answer::new(413, "{}"));
    }
    // questions of a few lines are served, so that a test's faults meet the records
    let fault = if is_question(&request.body) {
        None
    } else {
        state.faults.pop_front()
    };
    meet(fault.as_ref(), state, request, shared)
}

fn meet(
    fault: Option<&Fault>,
    mut state: MutexGuard<'_, State>,
    request: &Request,
    shared: &Arc<Shared>,
) -> Outcome {
    match fault {
        None => Outcome::Answer(bulk(&mut state, request, None)),
        Some(&Fault::Status(status, seconds)) => {
            let error = r#"{"error":{"type":"told_to","reason":"as told"}}"#;
            Outcome::Answer(Answer::new(status, error).with_retry_after(seconds))
        }
        Some(&Fault::Items(status, every)) => {
            Outcome::Answer(bulk(&mut state, request, Some((status, every))))
        }
        Some(&Fault::StoredItems(status)) => {
            bulk(&mut state, request, None);
            Outcome::Answer(bulk(&mut state, request, Some((status, 1))))
        }
        Some(&Fault::Proxy400) => Outcome::Answer(Answer::new(400, "<html>Bad Request</html>")),
        Some(&Fault::Garbage { stored }) => {
            if stored {
                bulk(&mut state, request, None);
            }
            Outcome::Answer(Answer::new(200, "<html>welcome</html>"))
        }
        Some(&Fault::HalfAnswer(length)) => Outcome::Half(bulk(&mut state, request, None), length),
        Some(&Fault::HangUp { stored }) => {
            if stored {
                bulk(&mut state, request, None);
            }
            Outcome::HangUp
        }
        Some(&Fault::Stall(time)) => {
            drop(state);
            thread::sleep(time);
            Outcome::Answer(bulk(&mut shared.state(), request, None))
        }
        Some(&Fault::Late(time)) => {
            let index = state.resolve(target(request)).map(str::to_owned);
            let (shared, body) = (Arc::clone(shared), request.body.clone());
            thread::spawn(move || {
                thread::sleep(time);
                shared.state().bulk(index.as_deref(), false, &body, None)
            });
            Outcome::HangUp
        }
        Some(&Fault::RollOver { to, stored_in }) => {
            if stored_in == StoredIn::Old {
                bulk(&mut state, request, None);
            }
            state.roll_over(to);
            if stored_in == StoredIn::New {
                bulk(&mut state, request, None);
            }
            Outcome::HangUp
        }
    }
}

fn bulk(state: &mut State, request: &Request, every: Option<(u16, usize)>) -> Answer {
    let require_alias = request.path().contains("require_alias=true");
    let target = Some(target(request)).filter(|target| *target != "_bulk");
    let items = state.bulk(target, require_alias, &request.body, every);
    if request.path().contains("filter_path=") {
        return Answer::new(200, format!("{{{items}}}"));
    }
    let errors = items.contains(r#""error":"#);
    Answer::new(200, format!(r#"{{"took":1,"errors":{errors},{items}}}"#))
}

/// The index, the alias, or `_bulk`.
fn target(request: &Request) -> &str {
    let path = request.path().trim_start_matches('/');
    path.split(['/', '?']).next().unwrap_or_default()
}

fn is_question(body: &[u8]) -> bool {
    let document = body.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    !document.starts_with(b"{")
        || body
            .windows(10)
            .take(80)
            .any(|text| text == b"\"routing\":")
}
