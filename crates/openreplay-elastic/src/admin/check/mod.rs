//! Sends OpenReplay's requests, and reports what keeps a row from appearing.
//!
//! ```no_run
//! use openreplay_elastic::admin::check;
//!
//! # async fn example(client: openreplay_elastic::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let report = check::run(&client, Some(&"4950498349085463837".parse()?)).await?;
//! for finding in &report.findings {
//!     println!("{}: {}", finding.text, finding.remedy);
//! }
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use http::StatusCode;
use openreplay_session::SessionId;
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::finding::{Fault, Finding, Severity};
pub(super) use self::records::{READ, examine as examine_records};
use crate::admin::panel::{self, Hit, SearchResult, search::search};
use crate::admin::streams::{WiredStreams, wired_streams};
use crate::admin::{Engine, Flavor, api};
use crate::numbered::LOGS;
use crate::transport::client::Client;
use crate::transport::error::Error;

mod finding;
pub(super) mod message;
mod optional;
mod records;
#[cfg(test)]
mod tests;
mod write_index;

/// What [`run`] found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Whether the button "Add" in OpenReplay's form would succeed.
    pub add_passes: bool,
    /// The session that was requested: the given one, or else the one of the latest record.
    pub session: Option<SessionId>,
    /// How many of its records there are.
    pub records: u64,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// What could not be examined, since these credentials do not allow it; such as `the write
    /// index`.
    pub unexamined: Vec<String>,
    /// What could not be examined, since a request was rejected that OpenReplay does not send.
    rejected: Vec<String>,
}

impl Report {
    /// Returns whether OpenReplay shows what it should: no finding but hints.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.fault.is_hint())
    }

    fn find(&mut self, fault: Fault, text: impl Into<String>) {
        self.add([Finding::new(fault, text)]);
    }

    /// Adds findings, at most one of each fault.
    fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if !self.findings.iter().any(|one| one.fault == finding.fault) {
                self.findings.push(finding);
            }
        }
    }
}

/// Sends the request of "Add", then that for a session: the given one, or that of the latest
/// record; then examines the causes of what is missing, and whether the write index takes records.
/// Nothing is changed.
///
/// # Errors
///
/// Only if Elasticsearch rejects a request for a reason that is no [`Fault`].
pub async fn run(client: &Client, session: Option<&SessionId>) -> Result<Report, Error> {
    let mut report = Report {
        session: session.copied(),
        ..Report::default()
    };
    if let Some(node) = client.clear_text_node() {
        report.find(
            Fault::ClearText,
            format!("the credentials are sent to {node} in clear text"),
        );
    }
    if !client.auth().is_api_key() {
        report.find(
            Fault::NotAKey,
            "these requests have no API key, but OpenReplay's requests have one",
        );
    }
    if let Err(error) = examine(client, &mut report).await {
        report.add([Finding::of(&error).ok_or(error)?]);
    }
    if !report.rejected.is_empty() {
        let text = format!("not examined: {}", report.rejected.join(", "));
        report.find(Fault::NotExamined, text);
    }
    report.findings.sort_by_key(|finding| finding.fault);
    Ok(report)
}

async fn examine(client: &Client, report: &mut Report) -> Result<(), Error> {
    match panel::probe(client).await {
        Ok(added) => examine_response(client, report, &added).await,
        Err(error) if Fault::of(&error) == Some(Fault::NoLogs) => {
            report.find(
                Fault::NoLogs,
                "`logs` is missing, and OpenReplay searches no other name",
            );
            examine_streams(client, report).await
        }
        Err(error) if error.is_forbidden() => {
            report.add(Finding::of(&error));
            // the credentials may be those of an app, which can write and not read
            write_index::examine(client, report).await
        }
        Err(error) => Err(error),
    }
}

async fn examine_response(
    client: &Client,
    report: &mut Report,
    added: &SearchResult,
) -> Result<(), Error> {
    examine_add(report, added);
    examine_shards(client, report, added).await;

    let latest = latest(client).await?;
    // the store has neither a mapping nor settings nor streams; its order is exact
    let engine = Engine::detect(client).await.ok();
    let is_store = engine.is_some_and(|engine| engine.flavor == Flavor::Store);
    if !is_store {
        message::examine(client, report, &latest).await?;
        // reading the settings takes a privilege that OpenReplay's key need not have
        let unsorted = unsorted(client, LOGS).await;
        if let Some(finding) = report.optional("the order of the indices", unsorted)? {
            report.add(finding);
        }
    }
    let of_sessions = latest.iter().filter(|hit| records::is_of_a_session(hit));
    report.add(examine_records(of_sessions.map(|hit| &hit.source)));
    if report.session.is_none() {
        let mut named = latest.iter().filter_map(message::session_in);
        report.session = named.next();
    }
    match report.session {
        Some(session) => examine_session(client, report, &session).await?,
        None if added.hits.is_empty() => {}
        None => report.find(
            Fault::NoSessions,
            "none of the latest records names a session",
        ),
    }
    if is_store {
        return Ok(());
    }
    examine_streams(client, report).await?;
    write_index::examine(client, report).await
}

/// Reports whether "Add" in OpenReplay's form accepts this response.
fn examine_add(report: &mut Report, added: &SearchResult) {
    if !added.is_elasticsearch {
        report.find(
            Fault::NotElasticsearch,
            "the response lacks `X-Elastic-Product: Elasticsearch`, so OpenReplay's client rejects it",
        );
    }
    if added.hits.is_empty() {
        report.find(
            Fault::Empty,
            "`logs` has no record: \"Add\" fails with \"no logs found\"",
        );
    }
    report.add_passes = added.is_elasticsearch && !added.hits.is_empty();
}

async fn examine_session(
    client: &Client,
    report: &mut Report,
    session: &SessionId,
) -> Result<(), Error> {
    if session.as_u64().is_none() {
        report.find(
            Fault::NotAnId,
            format!("OpenReplay never requests {session}: its session ids are 64-bit numbers without leading zeros"),
        );
    }
    match panel::session(client, session).await {
        Ok(result) => {
            report.records = result.total;
            examine_shards(client, report, &result).await;
            records::examine_session(report, session, &result);
        }
        Err(error) if message::rejects_phrases(&error) => report.find(
            Fault::NotAnalysed,
            format!(
                "OpenReplay's query for a session is rejected, since `message` is not text: {}",
                error.text()
            ),
        ),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Shards that did not respond: what they hold is missing from a successful response.
async fn examine_shards(client: &Client, report: &mut Report, result: &SearchResult) {
    let mut result = result.clone();
    if result.shards.failed > 0 && result.shards.failed_indices.is_empty() {
        // the response names no shard that is merely unassigned; the credentials may allow to find
        // out
        result.shards.failed_indices = red_indices(client).await.unwrap_or_default();
    }
    if let Some(text) = result.incomplete() {
        report.find(Fault::Incomplete, text);
    }
}

async fn red_indices(client: &Client) -> Result<Vec<String>, Error> {
    let path = format!("/_cluster/health/{LOGS}?level=indices");
    let health: IndexHealth = api::get(client, &path).await?;
    let red = health
        .indices
        .into_iter()
        .filter(|(_, one)| one.status == "red");
    Ok(red.map(|(index, _)| index).collect())
}

#[derive(Deserialize)]
struct IndexHealth {
    indices: BTreeMap<String, OneHealth>,
}

#[derive(Deserialize)]
struct OneHealth {
    status: String,
}

/// Wired streams: if the session's rows come, it matters little that the key cannot query them.
async fn examine_streams(client: &Client, report: &mut Report) -> Result<(), Error> {
    match wired_streams(client).await? {
        WiredStreams::On => report.find(
            Fault::WiredStreams,
            "wired streams are enabled, and own the name `logs`",
        ),
        WiredStreams::Unknown if report.records == 0 => report.find(
            Fault::WiredStreamsUnknown,
            "these credentials are not allowed to query whether wired streams are enabled",
        ),
        WiredStreams::Unknown | WiredStreams::Off => {}
    }
    Ok(())
}

/// The indices of that name that are not sorted on time, if any.
pub(crate) async fn unsorted(client: &Client, name: &str) -> Result<Option<Finding>, Error> {
    // the date is there to name them all
    let path = format!(
        "/{name}/_settings?filter_path=*.settings.index.sort,*.settings.index.creation_date"
    );
    let settings: BTreeMap<String, Value> = api::get(client, &path).await?;
    let is_sorted = |settings: &Value| {
        // as a list, or as it was given
        let first = |name: &str| match settings.pointer(&format!("/settings/index/sort/{name}")) {
            Some(Value::Array(all)) => all.first().cloned(),
            one => one.cloned(),
        };
        first("field") == Some("@timestamp".into()) && first("order") != Some("desc".into())
    };
    let unsorted = settings
        .iter()
        .filter(|(_, settings)| !is_sorted(settings))
        .map(|(index, _)| &index[..]);
    let unsorted: Vec<_> = unsorted.collect();
    let unsorted = unsorted.join(", ");
    let text = format!(
        "{unsorted} does not keep records in time order, and OpenReplay does not sort them"
    );
    Ok((!unsorted.is_empty()).then(|| Finding::new(Fault::NotSorted, text)))
}

/// The newest thousand records, where `@timestamp` can be sorted by, or else any.
async fn latest(client: &Client) -> Result<Vec<Hit>, Error> {
    let sort = json!([{"@timestamp": {"order": "desc", "unmapped_type": "date"}}]);
    let mut query = json!({"size": 1_000, "sort": sort});
    let mut result = search(client, &query).await;
    if result
        .as_ref()
        .is_err_and(|error| error.status() == Some(StatusCode::BAD_REQUEST))
    {
        query = json!({"size": 1_000});
        result = search(client, &query).await;
    }
    if result.as_ref().is_err_and(Error::is_too_long) {
        // a session that is named elsewhere is not seen then
        query["_source"] = json!(READ);
        result = search(client, &query).await;
    }
    Ok(result?.hits)
}
