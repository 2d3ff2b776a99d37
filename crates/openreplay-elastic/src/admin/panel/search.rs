use bytes::Bytes;
use http::Method;
use openreplay_record::phrase;
use openreplay_session::SessionId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::numbered::LOGS;
use crate::shallow::Source;
use crate::transport::client::Client;
use crate::transport::error::Error;

/// OpenReplay requests no more records of a session.
pub(super) const LIMIT: usize = 1_000;

/// What OpenReplay gets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchResult {
    /// The records, in the order in which the panel shows them.
    pub hits: Vec<Hit>,
    /// How many there are.
    pub total: u64,
    /// Whether the response names Elasticsearch as its product, without which OpenReplay's client
    /// rejects it.
    pub is_elasticsearch: bool,
    /// Whether the search ended before all shards had responded.
    pub timed_out: bool,
    /// How many shards there are, and how many of them did not respond. Their records are missing.
    pub shards: Shards,
}

/// The shards that a search went to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shards {
    /// How many there are.
    pub total: u64,
    /// How many of them did not respond.
    pub failed: u64,
    /// The indices of those, as far as the response names them.
    pub failed_indices: Vec<String>,
}

impl SearchResult {
    /// Returns the records alone.
    pub fn sources(&self) -> Vec<Value> {
        self.hits.iter().map(|hit| hit.source.clone()).collect()
    }

    /// Returns why records may be missing from a successful response, such as `1 of 5 shards did
    /// not respond (logs-000002)`.
    pub fn incomplete(&self) -> Option<String> {
        let Shards {
            total,
            failed,
            failed_indices,
        } = &self.shards;
        match (failed, &failed_indices[..]) {
            (0, _) if self.timed_out => {
                Some("the search timed out before all shards had responded".to_owned())
            }
            (0, _) => None,
            (_, []) => Some(format!("{failed} of {total} shards did not respond")),
            (_, indices) => Some(format!(
                "{failed} of {total} shards did not respond ({})",
                indices.join(", ")
            )),
        }
    }
}

/// One record found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hit {
    /// The index that holds it.
    pub index: String,
    /// Its id there.
    pub id: String,
    /// The members of the record that the panel reads: `@timestamp`, `level` and `message`, and
    /// where a record can have its message instead, `body.text` and `fields.message`. One that is
    /// nested deeper than 127 levels, or a list or an object of more than 4 KiB, is `null`.
    pub source: Value,
    /// Whether any member names a session.
    pub(crate) names_session: bool,
}

/// Sends the request of the button "Add" in OpenReplay's form: is there any record?
///
/// # Errors
///
/// If the request fails, or Elasticsearch responds with an error.
pub async fn probe(client: &Client) -> Result<SearchResult, Error> {
    search(client, &json!({"size": 1})).await
}

/// Requests the records of a session as the panel does: the first thousand, unsorted.
///
/// # Errors
///
/// If the request fails, or Elasticsearch responds with an error.
pub async fn session(client: &Client, id: &SessionId) -> Result<SearchResult, Error> {
    let query = json!({"match_phrase": {"message": phrase::of(id)}});
    search(client, &json!({"size": LIMIT, "query": query})).await
}

/// Searches `logs` as OpenReplay does, whatever the query.
pub(crate) async fn search(client: &Client, query: &Value) -> Result<SearchResult, Error> {
    search_in(client, LOGS, query).await
}

pub(crate) async fn search_in(
    client: &Client,
    index: &str,
    query: &Value,
) -> Result<SearchResult, Error> {
    let body = Bytes::from(query.to_string());
    let path = format!("/{index}/_search?track_total_hits=true");
    let response = client.request(Method::POST, &path, body).await?.ok()?;
    let is_elasticsearch = response.is_elasticsearch();
    let body: ResponseBody = response.json()?;
    let hits = body.hits.hits.into_iter().map(|hit| Hit {
        index: hit.index,
        id: hit.id,
        source: hit.source.members,
        names_session: hit.source.names_session,
    });
    let mut failed_indices: Vec<_> = body
        .shards
        .failures
        .into_iter()
        .filter_map(|failure| failure.index)
        .collect();
    failed_indices.sort_unstable();
    failed_indices.dedup();
    Ok(SearchResult {
        hits: hits.collect(),
        total: body.hits.total.value,
        is_elasticsearch,
        timed_out: body.timed_out,
        shards: Shards {
            total: body.shards.total,
            failed: body.shards.failed,
            failed_indices,
        },
    })
}

#[derive(Deserialize)]
struct ResponseBody {
    hits: Hits,
    #[serde(default)]
    timed_out: bool,
    #[serde(rename = "_shards", default)]
    shards: ShardsBody,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<HitBody>,
    total: Total,
}

#[derive(Deserialize)]
struct HitBody {
    #[serde(rename = "_index")]
    index: String,
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_source", default)]
    source: Source,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

#[derive(Default, Deserialize)]
struct ShardsBody {
    #[serde(default)]
    total: u64,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    failures: Vec<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    index: Option<String>,
}
