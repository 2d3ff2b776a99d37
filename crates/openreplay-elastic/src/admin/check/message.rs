//! Whether `message` is a field in which OpenReplay's query finds a session.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use openreplay_record::{field, names_session, phrase, session_of};
use openreplay_session::SessionId;
use serde::Deserialize;
use serde_json::json;

use super::{Fault, Finding, Report};
use crate::admin::api;
use crate::admin::panel::Hit;
use crate::admin::panel::search::search;
use crate::numbered::LOGS;
use crate::transport::client::Client;
use crate::transport::error::Error;

/// What `message` is in some of the indices of a name.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Field {
    #[serde(rename = "type")]
    kind: String,
    searchable: bool,
    /// All of them if it lists none.
    #[serde(default)]
    indices: Vec<String>,
    #[serde(default)]
    non_searchable_indices: Vec<String>,
}

impl Field {
    pub(crate) fn is_missing(&self) -> bool {
        self.kind == "unmapped"
    }

    /// Why a phrase is not found in it.
    pub(crate) fn problem(&self) -> Option<String> {
        match &self.kind[..] {
            "unmapped" => None,
            "text" | "match_only_text" if self.searchable => None,
            "text" | "match_only_text" => Some("not indexed".to_owned()),
            kind => Some(format!("of the type {kind}")),
        }
    }

    /// Those of its indices that have the problem.
    fn of(&self) -> String {
        match (&self.non_searchable_indices[..], &self.indices[..]) {
            ([], []) => "`logs`".to_owned(),
            ([], indices) | (indices, _) => indices.join(", "),
        }
    }
}

/// Requests the mapping of `message`, which takes no more than the privilege to search.
pub(crate) async fn fields(client: &Client, name: &str) -> Result<Vec<Field>, Error> {
    let path = format!("/{name}/_field_caps?fields=message&include_unmapped=true");
    let caps: Caps = api::get(client, &path).await?;
    Ok(match caps.fields.into_values().next() {
        Some(kinds) => kinds.into_values().collect(),
        // in no index at all
        None => vec![Field {
            kind: "unmapped".to_owned(),
            ..Field::default()
        }],
    })
}

/// The session that a record names, so that OpenReplay's query should find it.
pub(super) fn session_in(hit: &Hit) -> Option<SessionId> {
    let message = hit.source.get(field::MESSAGE)?.as_str()?;
    session_of(message).filter(|id| names_session(message, id))
}

/// Whether an engine cannot search for a phrase.
pub(super) fn rejects_phrases(error: &Error) -> bool {
    error.status() == Some(StatusCode::BAD_REQUEST)
        && error.error_type() == Some("search_phase_execution_exception")
}

/// By the mapping, and by looking for records that are known to be there.
pub(super) async fn examine(
    client: &Client,
    report: &mut Report,
    latest: &[Hit],
) -> Result<(), Error> {
    let fields = fields(client, LOGS).await;
    let fields = report
        .optional("the mapping of `message`", fields)?
        .unwrap_or_default();
    for field in &fields {
        if let Some(what) = field.problem() {
            let of = field.of();
            let text = format!(
                "`message` of {of} is {what}, in which OpenReplay's query never finds a session"
            );
            report.add([Finding::new(Fault::NotAnalysed, text)]);
            return Ok(());
        }
    }
    let mut seen = BTreeSet::new();
    for hit in latest {
        let Some(session) = session_in(hit) else {
            continue;
        };
        if seen.insert(&hit.index) && !is_found(client, hit, &session).await? {
            report.find(Fault::NotAnalysed, not_found(hit, &session, &fields));
        }
    }
    Ok(())
}

fn not_found(hit: &Hit, session: &SessionId, fields: &[Field]) -> String {
    let Hit { index, id, .. } = hit;
    let is_unmapped = |field: &Field| {
        field.is_missing() && (field.indices.is_empty() || field.indices.contains(index))
    };
    let why = if fields.iter().any(is_unmapped) {
        "not mapped"
    } else {
        "analysed differently"
    };
    format!(
        "`message` of {index} is {why}, so OpenReplay's query does not find record {id} of session {session}"
    )
}

async fn is_found(client: &Client, hit: &Hit, session: &SessionId) -> Result<bool, Error> {
    let query = json!({"size": 1, "query": {"bool": {
        "must": [{"match_phrase": {"message": phrase::of(session)}}],
        "filter": [{"ids": {"values": [hit.id]}}],
    }}});
    match search(client, &query).await {
        Err(error) if rejects_phrases(&error) => Ok(false),
        result => Ok(result?.total > 0),
    }
}

#[derive(Deserialize)]
struct Caps {
    fields: BTreeMap<String, BTreeMap<String, Field>>,
}
