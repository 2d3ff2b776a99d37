use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::layout::CREATED_BY;
use crate::Client;
use crate::api;
use crate::error::{Error, Kind};
use crate::panel::ask::LOGS;

/// What the name `logs` stands for. Its text says so, and what can be done where that is not [`setup`](crate::setup)'s work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// Nothing yet.
    Nothing,
    /// An alias.
    Alias {
        /// The indices behind it, in the order of their names.
        behind: Vec<Behind>,
        /// The one that new records go to.
        write_index: Option<String>,
        /// Whether that one is of [`setup`](crate::setup)'s making.
        ours: bool,
    },
    /// An index of that very name.
    Index,
    /// A data stream.
    DataStream,
    /// Elasticsearch's wired streams, which own the name where they are switched on.
    WiredStream,
}

/// An index behind the alias.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behind {
    /// Its name.
    pub index: String,
    /// Whether [`setup`](crate::setup) or a rotation made it.
    pub ours: bool,
}

impl Found {
    /// Whether it is what [`setup`](crate::setup) makes.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Alias { ours: true, .. })
    }

    /// Why nothing was done.
    pub(crate) fn refuse(&self) -> Error {
        let reason = match self {
            Self::Nothing => "no-logs",
            Self::Alias { ours: true, .. } => "no-write-index",
            Self::Alias { .. } => "logs-is-an-alias",
            Self::Index => "logs-is-an-index",
            Self::DataStream => "logs-is-a-data-stream",
            Self::WiredStream => "wired-streams",
        };
        Error::new(Kind::State, self.to_string()).with_reason(reason)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no `logs` yet: run `openreplay-elastic setup`"),
            Self::Alias { ours: true, write_index, .. } => match write_index {
                Some(index) => write!(f, "`logs` is set up, and writes to {index}"),
                None => f.write_str("`logs` is set up, but has no index to write to"),
            },
            Self::Alias { behind, .. } => {
                let names: Vec<_> = behind.iter().map(|behind| &behind.index[..]).collect();
                write!(
                    f,
                    "`logs` is an alias already, over {}: nothing was changed. Give those another alias and remove `logs` from them, \
                     then run `openreplay-elastic setup`, with `--also NAME` for each that OpenReplay should go on reading",
                    names.join(", ")
                )
            }
            Self::Index => f.write_str(
                "`logs` is an index already: nothing was changed. Reindex it under another name and delete it, then run \
                 `openreplay-elastic setup --also NAME` with that name; or keep it, if its `message` is analysed text: OpenReplay \
                 reads it as it is, though out of the order of time",
            ),
            Self::DataStream => f.write_str(
                "`logs` is a data stream already: nothing was changed. A data stream cannot keep the order that OpenReplay's panel \
                 needs; send its records elsewhere and delete it, then run `openreplay-elastic setup`",
            ),
            Self::WiredStream => f.write_str(
                "wired streams are switched on, and own the name `logs`: nothing was changed. They rename fields, so OpenReplay finds \
                 no `message`. Switch them off (POST /_streams/logs/_disable, or Streams in Kibana), then run \
                 `openreplay-elastic setup`",
            ),
        }
    }
}

/// Looks what the name `logs` stands for.
///
/// # Errors
///
/// Where Elasticsearch cannot be asked or refuses.
pub async fn find(client: &Client) -> Result<Found, Error> {
    if has_wired_streams(client).await? {
        return Ok(Found::WiredStream);
    }
    let path = format!("/_resolve/index/{LOGS}?expand_wildcards=all");
    let resolved: Resolved = match api::get(client, &path).await {
        Err(error) if error.is_not_found() => return Ok(Found::Nothing),
        resolved => resolved?,
    };
    if !resolved.data_streams.is_empty() {
        return Ok(Found::DataStream);
    }
    if !resolved.indices.is_empty() {
        return Ok(Found::Index);
    }
    if resolved.aliases.is_empty() {
        return Ok(Found::Nothing);
    }

    let aliases: BTreeMap<String, Aliases> = api::get(client, &format!("/_alias/{LOGS}")).await?;
    let path = format!("/{LOGS}/_mapping?filter_path=*.mappings._meta.created_by");
    let marks: BTreeMap<String, serde_json::Value> = api::get(client, &path).await?;
    let is_ours = |index: &str| {
        marks
            .get(index)
            .and_then(|mark| mark.pointer("/mappings/_meta/created_by"))
            == Some(&CREATED_BY.into())
    };
    let write_index = write_index(&aliases);
    Ok(Found::Alias {
        ours: write_index.as_deref().is_some_and(is_ours),
        write_index,
        behind: aliases
            .into_keys()
            .map(|index| Behind {
                ours: is_ours(&index),
                index,
            })
            .collect(),
    })
}

/// The one that is marked, or the only one.
fn write_index(aliases: &BTreeMap<String, Aliases>) -> Option<String> {
    let marked = |aliases: &Aliases| {
        aliases
            .aliases
            .get(LOGS)
            .and_then(|alias| alias.is_write_index)
    };
    let found = aliases
        .iter()
        .find(|(_, alias)| marked(alias) == Some(true));
    if let Some((index, _)) = found {
        return Some(index.clone());
    }
    let mut all = aliases.iter();
    match (all.next(), all.next()) {
        (Some((index, alias)), None) if marked(alias).is_none() => Some(index.clone()),
        _ => None,
    }
}

/// Elasticsearch 9.1 and newer can be asked; any other answers that it does not know the question.
pub(crate) async fn has_wired_streams(client: &Client) -> Result<bool, Error> {
    let status: Result<BTreeMap<String, Stream>, _> = api::get(client, "/_streams/status").await;
    match status {
        Ok(streams) => Ok(streams.get(LOGS).is_some_and(|stream| stream.enabled)),
        Err(error) if error.status().is_some() || error.is_answer() => Ok(false),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    enabled: bool,
}

#[derive(Deserialize)]
struct Resolved {
    indices: Vec<Name>,
    aliases: Vec<Name>,
    data_streams: Vec<Name>,
}

#[derive(Deserialize)]
struct Name {}

#[derive(Deserialize)]
struct Aliases {
    aliases: BTreeMap<String, Alias>,
}

#[derive(Deserialize)]
struct Alias {
    is_write_index: Option<bool>,
}
