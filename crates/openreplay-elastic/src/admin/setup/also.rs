//! Whether OpenReplay can read an index that is there already.

use std::collections::BTreeMap;

use http::Method;
use openreplay_record::{field, phrase};
use openreplay_session::SessionId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::admin::api;
use crate::admin::check::{self, Fault, Finding, message};
use crate::admin::logs::{ResolvedIndex, resolve};
use crate::admin::panel::search::search_in;
use crate::numbered::{LOGS, is_index_name};
use crate::transport::client::Client;
use crate::transport::error::Error;
use crate::transport::kind::Precondition;

/// How many records are examined.
const SAMPLE: u32 = 1_000;
/// By its name, the copy gets the layout of `setup`.
const COPY: &str = "run setup without this index, send PUT /logs-000000 and POST /_reindex";
const ADD_COPY: &str = "then run setup --also logs-000000";

/// Fails if no index can have this name.
pub(super) fn check_name(index: &str) -> Result<(), Error> {
    if !is_index_name(index) {
        return Err(Error::config(format!(
            "{index:?} cannot be an index's name: expected one without spaces, commas, wildcards or slashes"
        )));
    }
    if index == LOGS {
        return Err(Error::config(
            "`logs` cannot be added to itself; pass the name of an index",
        ));
    }
    Ok(())
}

/// Examines the index before anything is changed; returns what is wrong, if it is no reason to
/// reject the index.
pub(super) async fn examine(client: &Client, index: &str) -> Result<Vec<Finding>, Error> {
    require_open_index(client, index).await?;
    require_analysed_message(client, index).await?;
    let mut findings = records(client, index).await?;
    let unreadable = findings.iter().find_map(|finding| match finding.fault {
        Fault::NoMessage | Fault::TracingJson => Some((
            Precondition::NoMessage,
            "the panel shows nothing else",
            &finding.text,
        )),
        Fault::NoLevel => Some((
            Precondition::NoLevel,
            "a single such record breaks the panel of its session",
            &finding.text,
        )),
        _ => None,
    });
    if let Some((found, advice, text)) = unreadable {
        return Err(reject(
            found,
            format!(
                "{index}: {text}, and {advice}. Leave the index out, or add a copy in which every record has this field: {COPY} with \
                 a script that adds the field, {ADD_COPY}"
            ),
        ));
    }
    findings.extend(check::unsorted(client, index).await?);
    Ok(findings)
}

/// An alias or a data stream cannot come behind an alias, and a closed index cannot be searched.
async fn require_open_index(client: &Client, name: &str) -> Result<(), Error> {
    let (found, text) = match resolve(client, name).await? {
        None => (
            Precondition::NoIndex,
            format!("there is no index {name}: find its name with GET /_cat/indices"),
        ),
        Some(resolved) if !resolved.aliases.is_empty() => {
            let path = format!("/_alias/{name}");
            let behind: BTreeMap<String, IgnoredAny> = api::get(client, &path).await?;
            let options: Vec<_> = behind
                .keys()
                .map(|index| format!("--also {index}"))
                .collect();
            let options = options.join(" ");
            (
                Precondition::NotAnIndex,
                format!(
                    "{name} is an alias, and an alias cannot be behind another alias; pass {options} instead"
                ),
            )
        }
        Some(resolved) if !resolved.data_streams.is_empty() => (
            Precondition::NotAnIndex,
            format!(
                "{name} is a data stream, whose indices cannot be behind `logs`; reindex it into an index and pass that index"
            ),
        ),
        Some(resolved) if resolved.indices.iter().any(ResolvedIndex::is_closed) => (
            Precondition::IndexIsClosed,
            format!(
                "{name} is closed, and a search of `logs` would fail on it; open it first (POST /{name}/_open)"
            ),
        ),
        Some(_) => return Ok(()),
    };
    Err(Error::unmet(found, format!("{text}; nothing was changed")))
}

async fn require_analysed_message(client: &Client, index: &str) -> Result<(), Error> {
    for field in message::fields(client, index).await? {
        if field.is_missing() {
            let text = format!(
                "{index} has no field `message`, so OpenReplay cannot read it; leave the index out"
            );
            return Err(reject(Precondition::NoMessage, text));
        }
        if let Some(what) = field.problem() {
            return Err(reject(
                Precondition::NotAnalysed,
                format!(
                    "`message` of {index} is {what}, in which OpenReplay's query never finds a session. Leave the index out, or add \
                     a copy in which `message` is text: {COPY}, {ADD_COPY}"
                ),
            ));
        }
    }
    let id = SessionId::from(7);
    // as json() writes it, and as OpenReplay requests it
    let record = tokens(client, index, &format!("{}m", phrase::prefix(&id))).await;
    let phrase = tokens(client, index, &phrase::of(&id)).await;
    if let (Ok(record), Ok(phrase)) = (record, phrase)
        && (phrase.is_empty() || !record.windows(phrase.len()).any(|part| part == phrase))
    {
        return Err(reject(
            Precondition::NotAnalysed,
            format!(
                "`message` of {index} is analysed into {record:?}, in which OpenReplay's query never finds a session. Leave the \
                 index out, or add a copy with the standard analyzer: {COPY}, {ADD_COPY}"
            ),
        ));
    }
    Ok(())
}

async fn tokens(client: &Client, index: &str, text: &str) -> Result<Vec<String>, Error> {
    let body = json!({"field": "message", "text": text});
    let path = format!("/{index}/_analyze");
    let response = api::send(client, Method::POST, &path, &body).await?;
    let analysed: Analysed = response.json()?;
    let tokens = analysed.tokens.into_iter();
    Ok(tokens.map(|token| token.token).collect())
}

/// Only records that name a session are ever shown. Those without a `level` are searched for.
async fn records(client: &Client, index: &str) -> Result<Vec<Finding>, Error> {
    let named = json!({"match_phrase": {"message": phrase::NAME}});
    let no_level = json!({"bool": {
        "must": [named],
        "must_not": [{"exists": {"field": field::LEVEL}}],
    }});
    let mut sources = BTreeMap::new();
    for query in [no_level, named] {
        let body = json!({"size": SAMPLE, "query": query, "_source": check::READ});
        let result = search_in(client, index, &body).await?;
        sources.extend(result.hits.into_iter().map(|hit| (hit.id, hit.source)));
    }
    Ok(check::examine_records(sources.values()))
}

fn reject(found: Precondition, mut text: String) -> Error {
    text.push_str("; nothing was changed");
    Error::unmet(found, text)
}

#[derive(Deserialize)]
struct Analysed {
    tokens: Vec<Token>,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}
