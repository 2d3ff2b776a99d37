//! Each request meets its fault, or is served.

use std::sync::{Arc, MutexGuard};
use std::thread;

use super::Shared;
use super::fault::{Fault, StoredIn};
use super::state::State;
use crate::http::{Outcome, Request, Response};

pub(super) fn handle(request: &Request, shared: &Arc<Shared>) -> Outcome {
    let mut state = shared.state();
    if state.is_gone {
        return Outcome::HangUp;
    }
    // once a minute, and no part of any test
    if request.head.starts_with("GET / ") {
        return Outcome::Respond(Response::new(200, r#"{"tagline":"You Know, for Search"}"#));
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
        return Outcome::Respond(Response::new(401, error));
    }
    if request.head.starts_with("HEAD ") {
        let status = if state.resolve(request.target()).is_some() {
            200
        } else {
            404
        };
        return Outcome::Respond(Response::new(status, ""));
    }
    if state
        .longest_body
        .is_some_and(|longest| request.length > longest)
    {
        return Outcome::Respond(Response::new(413, "{}"));
    }
    // questions of a few lines are served, so that a test's faults meet the records
    let fault = if is_question(&request.body) {
        None
    } else {
        state.faults.pop_front()
    };
    meet(fault.as_ref(), state, request, shared)
}

#[expect(clippy::too_many_lines, reason = "a match with a short arm per fault")]
fn meet(
    fault: Option<&Fault>,
    mut state: MutexGuard<'_, State>,
    request: &Request,
    shared: &Arc<Shared>,
) -> Outcome {
    match fault {
        None => Outcome::Respond(bulk(&mut state, request, None)),
        Some(&Fault::Status(status, seconds)) => {
            let error = r#"{"error":{"type":"told_to","reason":"as told"}}"#;
            let response = Response::new(status, error);
            Outcome::Respond(match seconds {
                Some(seconds) => response.with_header("retry-after", seconds),
                None => response,
            })
        }
        Some(&Fault::Items(status, every)) => {
            Outcome::Respond(bulk(&mut state, request, Some((status, every))))
        }
        Some(&Fault::StoredItems(status)) => {
            bulk(&mut state, request, None);
            Outcome::Respond(bulk(&mut state, request, Some((status, 1))))
        }
        Some(&Fault::Proxy400) => Outcome::Respond(Response::new(400, "<html>Bad Request</html>")),
        Some(&Fault::Garbage { stored }) => {
            if stored {
                bulk(&mut state, request, None);
            }
            Outcome::Respond(Response::new(200, "<html>welcome</html>"))
        }
        Some(&Fault::HalfResponse(length)) => {
            Outcome::Truncate(bulk(&mut state, request, None), length)
        }
        Some(&Fault::HangUp { stored }) => {
            if stored {
                bulk(&mut state, request, None);
            }
            Outcome::HangUp
        }
        Some(&Fault::Stall(time)) => {
            drop(state);
            thread::sleep(time);
            Outcome::Respond(bulk(&mut shared.state(), request, None))
        }
        Some(&Fault::Late(time)) => {
            let index = state.resolve(request.target()).map(str::to_owned);
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

fn bulk(state: &mut State, request: &Request, every: Option<(u16, usize)>) -> Response {
    let require_alias = request.path().contains("require_alias=true");
    let target = Some(request.target()).filter(|target| *target != "_bulk");
    let items = state.bulk(target, require_alias, &request.body, every);
    if request.path().contains("filter_path=") {
        return Response::new(200, format!("{{{items}}}"));
    }
    let errors = items.contains(r#""error":"#);
    Response::new(200, format!(r#"{{"took":1,"errors":{errors},{items}}}"#))
}

fn is_question(body: &[u8]) -> bool {
    let document = body.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    !document.starts_with(b"{")
        || body
            .windows(10)
            .take(80)
            .any(|text| text == b"\"routing\":")
}
