//! Whether `message` is a field in which OpenReplay's query finds a session.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use openreplay_record::{field, names_session, phrase, session_of};
use openreplay_session::SessionId;
use serde::Deserialize;
use serde_json::json;

use super::{Fault, Report};
use crate::admin::api;
use crate::admin::panel::Hit;
use crate::admin::panel::ask;
use crate::numbered::LOGS;
use crate::{Client, Error};

/// What `message` is in some of the indices of a name.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Field {
    #[serde(rename = "type")]
    kind: String,
    searchable: bool,
    /// All of them where it says none.
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

/// Asks what whoever may search may ask.
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

/// Whether an engine says that a phrase cannot be looked for.
pub(super) fn refuses_phrases(error: &Error) -> bool {
    error.status() == Some(StatusCode::BAD_REQUEST)
        && error.error_type() == Some("search_phase_execution_exception")
}

/// By the mapping, and by looking for records that are known to be there.
pub(super) async fn look_at(
    client: &Client,
    report: &mut Report,
    latest: &[Hit],
) -> Result<(), Error> {
    let fields = match fields(client, LOGS).await {
        // a key may be allowed to search and not to ask this
        Err(error) if error.is_forbidden() => Vec::new(),
        fields => fields?,
    };
    for field in &fields {
        if let Some(what) = field.problem() {
            let of = field.of();
            report.find(
                Fault::NotAnalysed,
                format!(
                    "`message` of {of} is {what}, in which OpenReplay's query never finds a session"
                ),
            );
            return Ok(());
        }
    }
    let mut seen = BTreeSet::new();
    for hit in latest {
        let Some(session) = session_in(hit) else {
            continue;
        };
        if seen.insert(&hit.index) && !is_found(client, hit, &session).await? {
            let index = &hit.index;
            let unmapped = |field: &Field| {
                field.is_missing() && (field.indices.is_empty() || field.indices.contains(index))
            };
            let why = match fields.iter().any(unmapped) {
                true => "not mapped",
                false => "analysed in another way",
            };
            report.find(
                Fault::NotAnalysed,
                format!(
                    "`message` of {index} is {why}, so that OpenReplay's query does not find the record {} of session {session}",
                    hit.id
                ),
            );
        }
    }
    Ok(())
}

async fn is_found(client: &Client, hit: &Hit, session: &SessionId) -> Result<bool, Error> {
    let query = json!({"size": 1, "query": {"bool": {
        "must": [{"match_phrase": {"message": phrase::of(session)}}],
        "filter": [{"ids": {"values": [hit.id]}}],
    }}});
    match ask::search(client, &query).await {
        Err(error) if refuses_phrases(&error) => Ok(false),
        asked => Ok(asked?.total > 0),
    }
}

#[derive(Deserialize)]
struct Caps {
    fields: BTreeMap<String, BTreeMap<String, Field>>,
}
