use std::time::Duration;

use bytes::Bytes;
use http::Method;

use super::response::{self, FILTER, Item, ItemKind};
use super::{FailureKind, retry_after};
use crate::bulk::backoff::{Backoff, Retry};
use crate::numbered::LOGS;
use crate::transport::client::{Body, Client, Encoding, Response};
use crate::transport::error::Error;
use crate::transport::store::{INDEX, Recognition};

/// The alias that records go to, and the indices behind it.
///
/// All of it works with the privilege `create_doc` alone, which cannot even read an alias. So
/// the queries are documents that cannot be stored.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    client: Client,
    recognition: Recognition,
}

/// Whether an index has a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Present,
    /// The index rejects all writes, so nobody can tell.
    Unknown,
    Absent,
    /// These credentials cannot query the index, or the index is missing.
    Inaccessible,
}

/// Why a query has no result yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryError {
    pub(crate) retry: Retry,
    pub(crate) status: Option<u16>,
    /// `None` if there was no response.
    pub(crate) failure: Option<FailureKind>,
    /// No index behind the alias accepts records.
    pub(crate) is_fault_of_index: bool,
    pub(crate) text: String,
}

impl Target {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            recognition: Recognition::default(),
        }
    }

    /// Returns how long a request may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.client.timeout()
    }

    /// Sends framed records: to the alias, which must be an alias, or to an index.
    pub(crate) async fn send(
        &self,
        index: Option<&str>,
        body: impl Into<Body>,
        encoding: Encoding,
    ) -> Result<Response, Error> {
        let path = path(index);
        self.client.send(Method::POST, &path, body, encoding).await
    }

    /// Returns the index that the alias leads new records to.
    ///
    /// Sends an invalid document, bypassing the pipeline that the index may have: the error names
    /// the index. A store has only one index, so it is not queried.
    pub(crate) async fn write_index(&self) -> Result<String, QueryError> {
        if self.is_store().await {
            return Ok(INDEX.to_owned());
        }
        self.query_write_index().await
    }

    /// Returns whether the server is an openreplay-store.
    pub(crate) async fn is_store(&self) -> bool {
        self.recognition.is_store(&self.client).await
    }

    /// Does the same, and queries a store as well, so that credentials that may not write fail.
    pub(crate) async fn query_write_index(&self) -> Result<String, QueryError> {
        let no_document = Bytes::from_static(b"{\"create\":{}}\n\"no document\"\n");
        let item = match self.query(None, no_document).await {
            // Elasticsearch cannot pass that through a final pipeline, which no request can bypass
            Err(error) if error.status == Some(500) => self.query(None, unstorable("")).await?,
            item => item?,
        };
        match item.status {
            // how Elasticsearch rejects an invalid document; some others get 400, too
            400 | 500 if item.kind() != ItemKind::IndexRejects && !has_no_index(&item) => {
                Ok(item.index.into_owned())
            }
            429 | 500.. => Err(Self::item_error(&item, Backoff::Short)),
            _ => Err(Self::item_error(&item, Backoff::Long)),
        }
    }

    /// Returns whether the index exists, as far as these credentials can see.
    ///
    /// A bulk request to a missing index would create it, outside the alias, if they allow that;
    /// credentials that cannot see the index cannot create it either.
    pub(crate) async fn has_index(&self, index: &str) -> Result<bool, QueryError> {
        let path = format!("/{index}");
        let sent = self.client.request(Method::HEAD, &path, Bytes::new()).await;
        let response = sent.map_err(|error| QueryError::error(&error))?;
        match response.status().as_u16() {
            404 => Ok(false),
            429 | 500.. => Err(QueryError::response(&response)),
            _ => Ok(true),
        }
    }

    /// Returns whether an index holds a document with this `_id`.
    ///
    /// Sends a document whose routing is too long for the index: an `_id` that exists
    /// is reported first (409), the routing otherwise (400). Nothing is stored either way.
    pub(crate) async fn holds(&self, index: &str, id: &str) -> Result<Presence, QueryError> {
        let id = format!("\"_id\":\"{id}\",");
        let item = self.query(Some(index), unstorable(&id)).await?;
        match item.status {
            409 => Ok(Presence::Present),
            _ if item.error_name() == "cluster_block_exception" => Ok(Presence::Unknown),
            400 => Ok(Presence::Absent),
            401 | 403 | 404 => Ok(Presence::Inaccessible),
            _ => Err(Self::item_error(&item, Backoff::Short)),
        }
    }

    async fn query(&self, index: Option<&str>, body: Bytes) -> Result<Item<'static>, QueryError> {
        let path = format!("{}&pipeline=_none", path(index));
        let sent = self.client.send(Method::POST, &path, body, Encoding::Lines);
        let response = sent.await.map_err(|error| QueryError::error(&error))?;
        match response.status().as_u16() {
            200 => match response::read(response.body(), 1).as_deref() {
                Some([item]) => Ok(item.clone().into_owned()),
                _ => Err(QueryError {
                    retry: Backoff::Short.into(),
                    ..QueryError::response(&response)
                }),
            },
            _ => Err(QueryError::response(&response)),
        }
    }

    fn item_error(item: &Item<'_>, backoff: Backoff) -> QueryError {
        QueryError {
            retry: backoff.into(),
            status: Some(item.status),
            failure: Some(item.failure()),
            is_fault_of_index: match item.kind() {
                ItemKind::IndexRejects => true,
                ItemKind::Unclear => has_no_index(item),
                _ => false,
            },
            text: item.to_string(),
        }
    }
}

fn path(index: Option<&str>) -> String {
    match index {
        None => format!("/{LOGS}/_bulk?require_alias=true&{FILTER}"),
        Some(index) => format!("/{index}/_bulk?{FILTER}"),
    }
}

/// Whether an item failed before it reached an index: then, it has the requested name.
fn has_no_index(item: &Item<'_>) -> bool {
    item.index.is_empty() || item.index == LOGS
}

/// A record that no index stores, since its routing is longer than any index takes; a pipeline
/// finds it ordinary.
fn unstorable(id: &str) -> Bytes {
    const DOCUMENT: &str =
        r#"{"@timestamp":"2000-01-01T00:00:00.000000Z","level":"debug","message":"a query"}"#;
    let routing = "r".repeat(33_000);
    format!("{{\"create\":{{{id}\"routing\":\"{routing}\"}}}}\n{DOCUMENT}\n").into()
}

impl QueryError {
    /// Whether the write index must be queried again.
    pub(crate) fn is_about_index(&self) -> bool {
        self.is_fault_of_index || self.failure == Some(FailureKind::Missing)
    }

    fn error(error: &Error) -> Self {
        Self {
            retry: Backoff::Short.into(),
            status: None,
            failure: None,
            is_fault_of_index: false,
            text: error.to_string(),
        }
    }

    fn response(response: &Response) -> Self {
        let error = response.clone().ok().err();
        let status = response.status().as_u16();
        let failure = FailureKind::of(status, error.as_ref().and_then(Error::error_type));
        let text = error.map_or_else(
            || "the response is not a valid Elasticsearch response".to_owned(),
            |error| error.to_string(),
        );
        Self {
            retry: Retry {
                backoff: failure.backoff(),
                at_least: retry_after(response.headers()),
            },
            status: Some(status),
            failure: Some(failure),
            is_fault_of_index: false,
            text,
        }
    }
}
