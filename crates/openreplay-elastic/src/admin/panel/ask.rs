use bytes::Bytes;
use http::Method;
use openreplay_record::phrase;
use openreplay_session::SessionId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::shallow;
use crate::numbered::LOGS;
use crate::{Client, Error};

/// It asks for no more records of a session.
pub(super) const LIMIT: usize = 1_000;

/// What OpenReplay got.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchResult {
    /// The records, in the order in which the panel shows them.
    pub hits: Vec<Hit>,
    /// How many there are.
    pub total: u64,
    /// Whether the answer said to be Elasticsearch's, without which OpenReplay's client refuses it.
    pub is_elasticsearch: bool,
}

impl SearchResult {
    /// The records alone.
    pub fn sources(&self) -> Vec<Value> {
        self.hits.iter().map(|hit| hit.source.clone()).collect()
    }
}

/// One record found.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Hit {
    /// The index that holds it.
    #[serde(rename = "_index")]
    pub index: String,
    /// Its id there.
    #[serde(rename = "_id")]
    pub id: String,
    /// The record; a member that is nested deeper than 127 levels is `null`.
    #[serde(rename = "_source", default, deserialize_with = "shallow::deserialize")]
    pub source: Value,
}

/// Asks what the button "Add" in OpenReplay's form asks: is there any record?
///
/// # Errors
///
/// Where Elasticsearch cannot be asked, or answers with an error.
pub async fn probe(client: &Client) -> Result<SearchResult, Error> {
    search(client, &json!({"size": 1})).await
}

/// Asks for the records of a session, as the panel does: the first thousand, unsorted.
///
/// # Errors
///
/// Where Elasticsearch cannot be asked, or answers with an error.
pub async fn session(client: &Client, id: &SessionId) -> Result<SearchResult, Error> {
    let query = json!({"match_phrase": {"message": phrase::of(id)}});
    search(client, &json!({"size": LIMIT, "query": query})).await
}

/// Searches as OpenReplay does, whatever the query.
pub(crate) async fn search(client: &Client, query: &Value) -> Result<SearchResult, Error> {
    let body = Bytes::from(query.to_string());
    let path = format!("/{LOGS}/_search?track_total_hits=true");
    let answer = client.request(Method::POST, &path, body).await?;
    let is_elasticsearch = answer.is_elasticsearch();
    let found: Found = answer.ok()?.json()?;
    Ok(SearchResult {
        hits: found.hits.hits,
        total: found.hits.total.value,
        is_elasticsearch,
    })
}

#[derive(Deserialize)]
struct Found {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}
