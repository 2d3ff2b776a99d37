//! Whether OpenReplay can read an index that is there already.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use openreplay_record::{field, phrase};
use openreplay_session::SessionId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::found::{ResolvedIndex, resolve};
use super::is_index_name;
use crate::Client;
use crate::admin::api;
use crate::admin::check::{self, Fault, Finding, message};
use crate::numbered::LOGS;
use crate::transport::error::Error;
use crate::transport::kind::Precondition;

/// How many records are looked at.
const SAMPLE: u32 = 1_000;
/// After a first run without the index: its name gives the copy what `setup` makes.
const COPY: &str = "setup without this one, PUT /logs-000000, POST /_reindex into it, then setup --also logs-000000";

/// Looks at the name alone.
pub(super) fn accept(index: &str) -> Result<(), Error> {
    if !is_index_name(index) {
        return Err(Error::config(format!(
            "{index:?} cannot be an index's name: expected one without spaces, commas, wildcards or slashes"
        )));
    }
    if index == LOGS {
        return Err(Error::config(
            "`logs` cannot come behind itself: expected the name of an index",
        ));
    }
    Ok(())
}

/// Looks before anything is changed; gives what is not as it should be, and no reason to refuse.
pub(super) async fn look_at(client: &Client, index: &str) -> Result<Vec<Finding>, Error> {
    is_open_index(client, index).await?;
    message_is_analysed(client, index).await?;
    let mut findings = records(client, index).await?;
    let unreadable = findings.iter().find_map(|finding| match finding.fault {
        Fault::NoMessage => Some((
            Precondition::NoMessage,
            "there is nothing else that the panel shows",
            &finding.text,
        )),
        Fault::NoLevel => Some((
            Precondition::NoLevel,
            "one without breaks the whole panel of its session",
            &finding.text,
        )),
        _ => None,
    });
    if let Some((found, advice, text)) = unreadable {
        return Err(reject(
            found,
            format!(
                "{index}: {text}, and {advice}; put a copy behind `logs` in which every record has one ({COPY}, \
                 with a script that adds it), or leave it out"
            ),
        ));
    }
    findings.extend(check::unsorted(client, index).await?);
    Ok(findings)
}

/// What else may have that name cannot come behind an alias, or cannot be searched there.
async fn is_open_index(client: &Client, name: &str) -> Result<(), Error> {
    let (found, text) = match resolve(client, name).await? {
        None => (
            Precondition::NoIndex,
            format!("there is no index {name}: look for its name in GET /_cat/indices"),
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
                    "{name} is an alias, and one cannot stand behind another: give {options} instead"
                ),
            )
        }
        Some(resolved) if !resolved.data_streams.is_empty() => (
            Precondition::NotAnIndex,
            format!(
                "{name} is a data stream, whose indices cannot come behind `logs`: reindex it into an index and give that one"
            ),
        ),
        Some(resolved) if resolved.indices.iter().any(ResolvedIndex::is_closed) => (
            Precondition::IndexIsClosed,
            format!(
                "{name} is closed, and a search of `logs` would fail on it: open it first (POST /{name}/_open)"
            ),
        ),
        Some(_) => return Ok(()),
    };
    Err(Error::unmet(found, format!("{text}; nothing was changed")))
}

async fn message_is_analysed(client: &Client, index: &str) -> Result<(), Error> {
    for field in message::fields(client, index).await? {
        if field.is_missing() {
            let text = format!(
                "{index} has no field `message`, so OpenReplay could not read it: leave it out"
            );
            return Err(reject(Precondition::NoMessage, text));
        }
        if let Some(what) = field.problem() {
            return Err(reject(
                Precondition::NotAnalysed,
                format!(
                    "`message` of {index} is {what}, in which OpenReplay's query never finds a session: put a copy behind \
                     `logs` in which it is text ({COPY}), or leave it out"
                ),
            ));
        }
    }
    let id = SessionId::from(7);
    // as json() writes it, and as OpenReplay asks for it
    let record = tokens(client, index, &format!("{}m", phrase::prefix(&id))).await;
    let phrase = tokens(client, index, &phrase::of(&id)).await;
    if let (Ok(record), Ok(phrase)) = (record, phrase)
        && (phrase.is_empty() || !record.windows(phrase.len()).any(|part| part == phrase))
    {
        return Err(reject(
            Precondition::NotAnalysed,
            format!(
                "`message` of {index} is analysed into {record:?}, in which OpenReplay's query never finds a session: put a \
                 copy behind `logs` in which it is not ({COPY}), or leave it out"
            ),
        ));
    }
    Ok(())
}

async fn tokens(client: &Client, index: &str, text: &str) -> Result<Vec<String>, Error> {
    let body = json!({"field": "message", "text": text});
    let path = format!("/{index}/_analyze");
    let answer = api::send(client, Method::POST, &path, &body).await?;
    let analysed: Analysed = answer.json()?;
    let tokens = analysed.tokens.into_iter();
    Ok(tokens.map(|token| token.token).collect())
}

/// Only those that name a session are ever shown; those without a `level` are looked for.
async fn records(client: &Client, index: &str) -> Result<Vec<Finding>, Error> {
    let named = json!({"match_phrase": {"message": phrase::NAME}});
    let no_level = json!({"bool": {
        "must": [named],
        "must_not": [{"exists": {"field": field::LEVEL}}],
    }});
    let mut sources = BTreeMap::new();
    for query in [no_level, named] {
        let body = json!({"size": SAMPLE, "query": query, "_source": check::READ}).to_string();
        let path = format!("/{index}/_search?filter_path=hits.hits._id,hits.hits._source");
        let answer = client
            .request(Method::POST, &path, Bytes::from(body))
            .await?;
        let found: Value = answer.ok()?.json()?;
        let hits = found.pointer("/hits/hits").and_then(Value::as_array);
        for hit in hits.into_iter().flatten() {
            sources.insert(hit["_id"].to_string(), hit["_source"].clone());
        }
    }
    let sources: Vec<_> = sources.into_values().collect();
    Ok(check::look_at(&sources))
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
