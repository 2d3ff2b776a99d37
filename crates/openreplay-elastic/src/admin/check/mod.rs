//! Asks as OpenReplay asks, and explains what keeps a row from appearing.
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
use serde_json::{Value, json};

pub use self::finding::{Fault, Finding, Severity};
pub(crate) use self::records::READ;
use crate::admin::api;
use crate::admin::panel::ask;
use crate::admin::panel::{self, Hit, SearchResult};
use crate::admin::setup::{Engine, Flavor};
use crate::admin::streams::{WiredStreams, wired_streams};
use crate::numbered::LOGS;
use crate::{Client, Error};

mod finding;
pub(crate) mod message;
mod records;
#[cfg(test)]
mod tests;

/// What is wrong with records, whichever they are.
pub(crate) fn look_at(records: &[Value]) -> Vec<Finding> {
    let mut report = Report::default();
    records::look_at(&mut report, records);
    report.findings
}

/// What [`run`] saw.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Whether the button "Add" in OpenReplay's form would succeed.
    pub add_passes: bool,
    /// The session that was asked for: the given one, or else the one of the latest record.
    pub session: Option<SessionId>,
    /// How many of its records there are.
    pub records: u64,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether OpenReplay shows what it should: no finding but hints.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.fault.is_hint())
    }

    fn find(&mut self, fault: Fault, text: impl Into<String>) {
        if !self.findings.iter().any(|finding| finding.fault == fault) {
            self.findings.push(Finding::new(fault, text.into()));
        }
    }
}

/// Asks what "Add" asks, then for a session: the given one, or that of the latest record; then looks into the causes.
///
/// # Errors
///
/// None for anything that is a finding: only where Elasticsearch refuses a question for a reason that is none of these.
pub async fn run(client: &Client, session: Option<&SessionId>) -> Result<Report, Error> {
    let mut report = Report {
        session: session.copied(),
        ..Report::default()
    };
    if !client.auth().is_api_key() {
        report.find(
            Fault::NotAKey,
            "this asks without an API key, and OpenReplay asks with one",
        );
    }
    let asked = match panel::probe(client).await {
        Ok(added) => with_answer(client, &mut report, &added).await,
        Err(error) if Fault::of(&error) == Some(Fault::NoLogs) => {
            report.find(
                Fault::NoLogs,
                "there is no `logs`, and OpenReplay searches no other name",
            );
            streams(client, &mut report).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = asked {
        match Fault::of(&error) {
            Some(Fault::Closed) => report.find(
                Fault::Closed,
                "an index behind `logs` is closed, and every search of `logs` fails on it",
            ),
            Some(fault) => report.find(fault, error.to_string()),
            None => return Err(error),
        }
    }
    report.findings.sort_by_key(|finding| finding.fault);
    Ok(report)
}

async fn with_answer(
    client: &Client,
    report: &mut Report,
    added: &SearchResult,
) -> Result<(), Error> {
    if !added.is_elasticsearch {
        report.find(
            Fault::NotElasticsearch,
            "the answer does not say `X-Elastic-Product: Elasticsearch`, so OpenReplay's client refuses it",
        );
    }
    if added.hits.is_empty() {
        report.find(
            Fault::Empty,
            "`logs` has no record: \"Add\" says \"no logs found\"",
        );
    }
    report.add_passes = added.is_elasticsearch && !added.hits.is_empty();

    let latest = latest(client).await?;
    // the store has neither a mapping nor settings nor streams; its order is exact
    let engine = Engine::ask(client).await.ok();
    let is_store = engine.is_some_and(|engine| engine.flavor == Flavor::Store);
    if !is_store {
        message::look_at(client, report, &latest).await?;
        // reading the settings takes a privilege that OpenReplay's key need not have
        if let Ok(Some(finding)) = unsorted(client, LOGS).await {
            report.find(finding.fault, finding.text);
        }
    }
    let of_sessions: Vec<_> = latest
        .iter()
        .map(|hit| hit.source.clone())
        .filter(records::is_of_a_session)
        .collect();
    records::look_at(report, &of_sessions);
    if report.session.is_none() {
        let mut named = latest.iter().filter_map(message::session_in);
        report.session = named.next();
    }
    match report.session {
        Some(session) => ask_for(client, report, &session).await?,
        None if added.hits.is_empty() => {}
        None => report.find(
            Fault::NoSessions,
            "none of the latest records names a session",
        ),
    }
    match is_store {
        true => Ok(()),
        false => streams(client, report).await,
    }
}

async fn ask_for(client: &Client, report: &mut Report, session: &SessionId) -> Result<(), Error> {
    if session.as_u64().is_none() {
        report.find(
            Fault::NotAnId,
            format!("OpenReplay never asks for {session}: its session ids are 64-bit numbers without leading zeros"),
        );
    }
    match panel::session(client, session).await {
        Ok(asked) => {
            report.records = asked.total;
            records::look_at_session(report, session, &asked);
        }
        Err(error) if message::refuses_phrases(&error) => report.find(
            Fault::NotAnalysed,
            format!(
                "OpenReplay's query for a session is refused, since `message` is not text: {error}"
            ),
        ),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Wired streams: where the session's rows come, it matters little that the key may not ask.
async fn streams(client: &Client, report: &mut Report) -> Result<(), Error> {
    match wired_streams(client).await? {
        WiredStreams::On => report.find(
            Fault::WiredStreams,
            "wired streams are switched on, and own the name `logs`",
        ),
        WiredStreams::Unknown if report.records == 0 => report.find(
            Fault::WiredStreamsUnknown,
            "whether wired streams are switched on could not be asked with these credentials",
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
    let text = format!(
        "{} does not keep records in the order of time, and OpenReplay does not sort them",
        unsorted.join(", ")
    );
    Ok((!unsorted.is_empty()).then(|| Finding::new(Fault::NotSorted, text)))
}

/// The newest thousand records, where `@timestamp` can be sorted by, or else any.
async fn latest(client: &Client) -> Result<Vec<Hit>, Error> {
    let sort = json!([{"@timestamp": {"order": "desc", "unmapped_type": "date"}}]);
    let mut query = json!({"size": 1_000, "sort": sort});
    let mut asked = ask::search(client, &query).await;
    if asked
        .as_ref()
        .is_err_and(|error| error.status() == Some(StatusCode::BAD_REQUEST))
    {
        query = json!({"size": 1_000});
        asked = ask::search(client, &query).await;
    }
    if asked.as_ref().is_err_and(Error::is_too_long) {
        // a session that is named elsewhere is not seen then
        query["_source"] = json!(READ);
        asked = ask::search(client, &query).await;
    }
    Ok(asked?.hits)
}
