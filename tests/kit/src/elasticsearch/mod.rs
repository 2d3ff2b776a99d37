//! A stand-in for Elasticsearch that speaks `_bulk`, keeps the documents, and misbehaves on
//! request.
//!
//! Its responses have the shape of those of Elasticsearch 9.1; the tests with the real one
//! hold it to that.

mod fault;
mod serve;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use self::fault::{Fault, StoredIn};
use self::serve::handle;
use self::state::State;
use crate::http::Server;

/// Listens on a port of its own until dropped.
#[derive(Debug)]
pub struct StandIn {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
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
        let shared = Arc::<Shared>::default();
        let served = Arc::clone(&shared);
        let server = Server::start(move |request| handle(request, &served));
        let stand_in = Self { server, shared };
        stand_in.roll_over("logs-000001");
        stand_in
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.server.address()
    }

    /// Makes an index and lets the alias `logs` lead to it.
    pub fn roll_over(&self, index: &str) {
        self.state().roll_over(index);
    }

    /// Deletes an index; an alias that pointed to it then points to none.
    pub fn remove_index(&self, index: &str) {
        let mut state = self.state();
        state.indices.remove(index);
        state.write_index.take_if(|write| write == index);
    }

    /// From now on the alias leads to no index that accepts documents: each item fails with
    /// this status, type and reason, under the name of the alias; `None` ends that.
    pub fn block(&self, response: Option<(u16, &'static str, &'static str)>) {
        self.state().blocked = response;
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

    /// Forgets the faults that no request has met yet.
    pub fn behave(&self) {
        self.state().faults.clear();
    }

    /// Longer bodies are rejected with 413.
    pub fn limit_bodies(&self, bytes: usize) {
        self.state().longest_body = Some(bytes);
    }

    /// Documents for which this holds are rejected with 400.
    pub fn reject(&self, rejects: impl Fn(&Value) -> bool + Send + 'static) {
        self.state().rejects = Some((400, Box::new(rejects)));
    }

    /// Documents for which this holds fail with 500.
    pub fn fail_on(&self, over: impl Fn(&Value) -> bool + Send + 'static) {
        self.state().rejects = Some((500, Box::new(over)));
    }

    /// Anything else in `Authorization` is rejected with 401.
    pub fn expect_authorization(&self, header: impl Into<String>) {
        self.state().authorization = Some(header.into());
    }

    /// Writing to an index itself is rejected with 403 for each item.
    pub fn allow_alias_only(&self) {
        self.state().alias_only = true;
    }

    /// Keeps no documents from now on, nor looks for an `_id` that is taken.
    pub fn forget(&self) {
        self.state().forgets = true;
    }

    /// Breaks every connection at once (`true`), or serves again.
    pub fn set_down(&self, gone: bool) {
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

    /// How many documents were sent again after they had been stored: the items with 409.
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

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
