//! An openreplay-store in the place of Elasticsearch. It has only one index, so records are sent
//! without a query for the index.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use super::client::{Client, Response};

/// The start of the tagline in a store's response to `GET /`.
pub(crate) const TAGLINE: &str = "openreplay-store ";

/// The one index of a store, which `logs` leads to.
pub(crate) const INDEX: &str = "logs-000001";

/// How long the result is reused: another server may take the store's place.
const KNOWN: Duration = Duration::from_secs(60);

/// Whether the server is a store, and since when that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recognition(Arc<Mutex<Option<(bool, Instant)>>>);

impl Recognition {
    /// Queries the server at most once a minute.
    pub(crate) async fn is_store(&self, client: &Client) -> bool {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((is_store, queried)) = known
            && queried.elapsed() < KNOWN
        {
            return is_store;
        }
        let Ok(response) = client.request(Method::GET, "/", Bytes::new()).await else {
            return false;
        };
        // Elasticsearch responds with 403 to a key that can only add records; a busy server may be
        // either
        if response.status().as_u16() == 429 || response.status().is_server_error() {
            return false;
        }
        let is_store = is_store(&response);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((is_store, Instant::now()));
        is_store
    }
}

fn is_store(response: &Response) -> bool {
    let root = response.clone().ok().and_then(|root| root.json::<Root>());
    root.is_ok_and(|root| root.tagline.starts_with(TAGLINE))
}

#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    tagline: String,
}
