//! A model of a cluster: indices behind an alias, and what can go wrong with a request.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bulk::backoff::Backoff;
use crate::bulk::wire::{FailureKind, NoResponse, Presence, QueryError, Response, Wire, records};

/// What happens to one request. Whatever is not stored can be sent again.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// All goes well.
    None,
    /// The alias moves on to a new index before the request arrives, or after.
    RollsOver {
        before: bool,
    },
    /// Each so many-th record gets this status; `stores` it all the same, if it is one of the
    /// server's.
    Items {
        every: usize,
        status: u16,
        stores: bool,
    },
    /// The whole request gets this status, of the engine or of a proxy; the first records are
    /// stored all the same, if it is one of the server's.
    Whole {
        status: u16,
        is_named: bool,
        stores: usize,
    },
    /// The first records are stored, and no response comes.
    NoResponse {
        stores: usize,
    },
    /// The same, and the sender waits for as long as a request may take.
    TimedOut {
        stores: usize,
    },
    /// The same with a response that cannot be read.
    Unreadable {
        stores: usize,
    },
    NoConnection,
    /// From now on, longer requests get 413.
    Limit(usize),
    /// The index behind the alias is deleted, and the alias leads to a new one.
    Deleted,
    /// The sender is killed while it waits for the response; the first records are stored.
    Killed {
        stores: usize,
    },
    /// The next query gets no response.
    QueryFails,
}

pub(super) fn any_fault() -> impl Strategy<Value = Fault> {
    let stores = || prop_oneof![Just(0), Just(usize::MAX), 0..12_usize];
    prop_oneof![
        3 => Just(Fault::None),
        2 => any::<bool>().prop_map(|before| Fault::RollsOver { before }),
        4 => (1..5_usize, prop::sample::select(vec![429, 500, 503, 404, 401]), any::<bool>())
            .prop_map(|(every, status, stores)| Fault::Items { every, status, stores }),
        3 => (prop::sample::select(vec![202, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504]), any::<bool>(), stores())
            .prop_map(|(status, is_named, stores)| Fault::Whole { status, is_named, stores }),
        4 => stores().prop_map(|stores| Fault::NoResponse { stores }),
        3 => stores().prop_map(|stores| Fault::TimedOut { stores }),
        1 => stores().prop_map(|stores| Fault::Unreadable { stores }),
        1 => Just(Fault::NoConnection),
        1 => (100..3_000_usize).prop_map(Fault::Limit),
        1 => Just(Fault::Deleted),
        2 => stores().prop_map(|stores| Fault::Killed { stores }),
        1 => Just(Fault::QueryFails),
    ]
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The records of each index, by `_id`.
    indices: BTreeMap<String, BTreeMap<String, Value>>,
    /// The records of indices that are deleted.
    deleted: Vec<String>,
    number: u32,
    limit: Option<usize>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) requests: usize,
}

/// The cluster; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) state: Rc<RefCell<State>>,
    /// Once the sender is to be killed.
    pub(super) killed: Rc<tokio::sync::Notify>,
    is_poison: fn(&Value) -> Option<u16>,
    check: Check,
}

/// Called with each request.
#[derive(Clone)]
pub(super) struct Check(pub(super) Rc<dyn Fn()>);

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Check")
    }
}

impl World {
    /// `is_poison` gives the status that a record always gets; `check` is called with each request.
    pub(super) fn new(
        faults: Vec<Fault>,
        is_poison: fn(&Value) -> Option<u16>,
        check: impl Fn() + 'static,
    ) -> Self {
        let mut state = State {
            faults: faults.into(),
            ..State::default()
        };
        state.roll_over();
        Self {
            state: Rc::new(RefCell::new(state)),
            killed: Rc::default(),
            is_poison,
            check: Check(Rc::new(check)),
        }
    }

    /// Each record's `_id`, as often as it is stored, and the number of those that were stored in a
    /// deleted index.
    pub(super) fn stored(&self) -> (Vec<String>, Vec<String>) {
        let state = self.state.borrow();
        let all = state.indices.values().flat_map(BTreeMap::keys).cloned();
        (
            all.filter(|id| !id.contains("note")).collect(),
            state.deleted.clone(),
        )
    }
}

impl State {
    pub(super) fn roll_over(&mut self) {
        self.number += 1;
        let index = self.write_index();
        self.indices.insert(index, BTreeMap::new());
    }

    fn write_index(&self) -> String {
        format!("logs-{:06}", self.number)
    }

    fn delete(&mut self) {
        let gone = self.indices.remove(&self.write_index()).unwrap_or_default();
        self.deleted.extend(gone.into_keys());
        self.roll_over();
    }

    fn next_query_fails(&mut self) -> Option<QueryError> {
        matches!(self.faults.front(), Some(Fault::QueryFails)).then(|| {
            self.faults.pop_front();
            QueryError {
                retry: Backoff::Short.into(),
                status: None,
                failure: None,
                is_fault_of_index: false,
                text: "no response".into(),
            }
        })
    }
}

impl Wire for World {
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn send(&mut self, index: Option<&str>, body: Vec<Bytes>) -> Response {
        (self.check.0)();
        let (response, is_killed) = self.respond(index, &body.concat());
        if is_killed {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        response
    }

    async fn write_index(&self) -> Result<String, QueryError> {
        let mut state = self.state.borrow_mut();
        state
            .next_query_fails()
            .map_or_else(|| Ok(state.write_index()), Err)
    }

    async fn has_index(&self, index: &str) -> Result<bool, QueryError> {
        let mut state = self.state.borrow_mut();
        let failed = state.next_query_fails();
        failed.map_or_else(|| Ok(state.indices.contains_key(index)), Err)
    }

    async fn holds(&self, index: &str, id: &str) -> Result<Presence, QueryError> {
        let mut state = self.state.borrow_mut();
        if let Some(error) = state.next_query_fails() {
            return Err(error);
        }
        Ok(
            match state
                .indices
                .get(index)
                .map(|records| records.contains_key(id))
            {
                Some(true) => Presence::Present,
                Some(false) => Presence::Absent,
                None => Presence::Inaccessible,
            },
        )
    }
}

impl World {
    /// The response, and whether the sender is killed before it comes.
    fn respond(&mut self, index: Option<&str>, body: &[u8]) -> (Response, bool) {
        let mut state = self.state.borrow_mut();
        state.requests += 1;
        let fault = state.faults.pop_front().unwrap_or(Fault::None);
        match fault {
            Fault::RollsOver { before: true } => state.roll_over(),
            Fault::Limit(limit) => state.limit = Some(limit),
            Fault::Deleted => state.delete(),
            _ => {}
        }
        // In the end somebody raises the limit.
        let limit = state.limit.filter(|_| !state.faults.is_empty());
        if limit.is_some_and(|limit| body.len() > limit) {
            return (failed(413, false), false);
        }
        let index = index.map_or_else(|| state.write_index(), str::to_owned);
        let mut store =
            |first: usize, fault: &Fault| self.store(&mut state, &index, body, first, fault);
        let response = match &fault {
            Fault::NoResponse { stores } | Fault::Killed { stores } => {
                store(*stores, &fault);
                none(NoResponse::Lost)
            }
            Fault::TimedOut { stores } => {
                store(*stores, &fault);
                none(NoResponse::TimedOut)
            }
            Fault::Unreadable { stores } => {
                store(*stores, &fault);
                Response::Body("<html>".into())
            }
            Fault::NoConnection => none(NoResponse::NotSent),
            Fault::Whole {
                status,
                is_named,
                stores,
            } => {
                // Only after these may the request have been executed.
                if matches!(status, 202 | 408 | 500..) {
                    store(*stores, &fault);
                }
                failed(*status, *is_named)
            }
            _ => Response::Body(store(usize::MAX, &fault).into()),
        };
        if let Fault::RollsOver { before: false } = fault {
            state.roll_over();
        }
        (response, matches!(fault, Fault::Killed { .. }))
    }

    /// Stores the first records of a request; returns the results of all.
    fn store(
        &self,
        state: &mut State,
        index: &str,
        body: &[u8],
        first: usize,
        fault: &Fault,
    ) -> String {
        let body = Bytes::copy_from_slice(body);
        let results: Vec<_> = records(&body).enumerate().map(|(at, record)| {
            let mut lines = record.split(|byte| *byte == b'\n');
            let mut line = || serde_json::from_slice::<Value>(lines.next().unwrap()).unwrap();
            let (action, document) = (line(), line());
            let id = action["create"]["_id"].as_str().unwrap().to_owned();
            let Some(records) = state.indices.get_mut(index) else {
                return json!({"create": {"_index": index, "status": 404, "error": {"type": "index_not_found_exception"}}});
            };
            let (status, stores) = match (*fault).clone() {
                _ if records.contains_key(&id) => (409, false),
                _ if (self.is_poison)(&document).is_some() => ((self.is_poison)(&document).unwrap(), false),
                Fault::Items { every, status, stores } if at % every == 0 => (status, stores && status >= 500),
                _ => (201, at < first),
            };
            if stores {
                records.insert(id, document);
            }
            let error = (status != 201).then(|| json!({"type": "some_exception", "reason": "as told"}));
            json!({"create": {"_index": index, "status": status, "error": error}})
        }).collect();
        json!({ "items": results }).to_string()
    }
}

fn failed(status: u16, is_named: bool) -> Response {
    let name = match status {
        404 => "index_not_found_exception",
        _ => "some_exception",
    };
    Response::Failed {
        kind: FailureKind::of(status, is_named.then_some(name)),
        retry_after: None,
        why: format!("status {status}"),
    }
}

fn none(kind: NoResponse) -> Response {
    Response::None {
        kind,
        why: "no response".into(),
    }
}
