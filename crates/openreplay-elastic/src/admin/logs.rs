use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::admin::api;
use crate::admin::streams::{WiredStreams, wired_streams};
use crate::numbered::{LOGS, number};
use crate::transport::client::Client;
use crate::transport::error::Error;
use crate::transport::kind::Precondition;

/// What [`setup`](crate::admin::setup) and [`rotate`](crate::admin::rotate) write into the mappings
/// of their indices.
pub(super) const CREATED_BY: &str = "openreplay-elastic";

/// What the name `logs` stands for. The text describes it, and what to do if that is not
/// [`setup`](crate::admin::setup)'s work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogsState {
    /// Nothing yet.
    Nothing,
    /// An alias.
    Alias {
        /// The indices behind it, in the order of their names.
        behind: Vec<BackingIndex>,
        /// The one that new records go to.
        write_index: Option<String>,
    },
    /// An index of that very name.
    Index,
    /// A data stream.
    DataStream,
    /// Elasticsearch's wired streams, which own the name if they are enabled.
    WiredStream,
}

/// An index behind the alias.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackingIndex {
    /// Its name.
    pub index: String,
    /// Whether [`setup`](crate::admin::setup) or a rotation created it.
    pub ours: bool,
}

impl LogsState {
    /// Returns whether this is an alias, and [`setup`](crate::admin::setup) or a rotation created
    /// one of the indices behind it.
    fn has_ours(&self) -> bool {
        match self {
            Self::Alias { behind, .. } => behind.iter().any(|behind| behind.ours),
            _ => false,
        }
    }

    /// Returns whether this is an alias that writes to an index that
    /// [`setup`](crate::admin::setup) or a rotation created.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Alias {
                behind,
                write_index: Some(name),
            } => behind.iter().any(|one| one.ours && one.index == *name),
            _ => false,
        }
    }

    /// Returns the newest index that [`setup`](crate::admin::setup) or a rotation created, if the
    /// alias has no write index.
    pub(super) fn restorable(&self) -> Option<&str> {
        let Self::Alias {
            behind,
            write_index: None,
        } = self
        else {
            return None;
        };
        let ours = behind.iter().filter(|behind| behind.ours);
        let newest = ours.max_by_key(|behind| number(&behind.index));
        newest.map(|behind| &behind.index[..])
    }

    /// Returns the write index and all indices behind the alias, if
    /// [`setup`](crate::admin::setup) or a rotation created the write index.
    pub(super) fn written(self) -> Result<(String, Vec<BackingIndex>), Error> {
        let is_ours = self.is_ours();
        match self {
            Self::Alias {
                behind,
                write_index: Some(index),
            } if is_ours => Ok((index, behind)),
            other => Err(other.unmet()),
        }
    }

    /// Returns the error that describes this state and the remedy.
    fn unmet(&self) -> Error {
        let found = match self {
            Self::Nothing => Precondition::NoLogs,
            Self::Alias { .. } if !self.has_ours() => Precondition::LogsIsAnAlias,
            Self::Alias {
                write_index: None, ..
            } => Precondition::NoWriteIndex,
            Self::Alias { .. } => Precondition::ForeignWriteIndex,
            Self::Index => Precondition::LogsIsAnIndex,
            Self::DataStream => Precondition::LogsIsADataStream,
            Self::WiredStream => Precondition::WiredStreams,
        };
        Error::unmet(found, self.to_string())
    }
}

const INDEX: &str = "\
    `logs` is an index, but apps and `ship` write only to an alias; nothing was changed. To keep \
    its records, stop what writes to it and send PUT /logs/_block/write, POST \
    /logs/_clone/logs-old, GET /_cluster/health/logs-old?wait_for_status=yellow and, once that \
    responds with yellow or green, DELETE /logs; then run `openreplay-elastic setup --also \
    logs-old`";
const DATA_STREAM: &str = "\
    `logs` is a data stream, which cannot keep the order that OpenReplay's panel needs: nothing \
    was changed. To keep its records, stop what writes to it and send POST /_reindex \
    {\"source\": {\"index\": \"logs\"}, \"dest\": {\"index\": \"logs-old\"}} and, once that \
    responds with no failures, DELETE /_data_stream/logs; then run `openreplay-elastic setup \
    --also logs-old`";
const WIRED_STREAM: &str = "\
    wired streams are enabled, and own the name `logs`; nothing was changed. They rename fields, \
    so OpenReplay finds no `message`. Disable wired streams (POST /_streams/logs/_disable, or \
    Streams in Kibana), then run `openreplay-elastic setup`";

impl fmt::Display for LogsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no `logs` yet: run `openreplay-elastic setup`"),
            Self::Alias { write_index: Some(index), .. } if self.is_ours() => {
                write!(f, "`logs` is set up, and writes to {index}")
            }
            Self::Alias { write_index: None, .. } if self.has_ours() => f.write_str(
                "`logs` is set up, but has no index to write to: run `openreplay-elastic setup`, which restores one",
            ),
            Self::Alias { write_index: Some(index), .. } if self.has_ours() => write!(
                f,
                "`logs` writes to {index}, which `openreplay-elastic setup` did not create: nothing was changed. Stop \
                 `logs` from writing to it (POST /_aliases {{\"actions\": [{{\"add\": {{\"index\": \"{index}\", \"alias\": \"logs\", \
                 \"is_write_index\": false}}}}]}}), then run `openreplay-elastic setup`, which sets another write index"
            ),
            Self::Alias { behind, .. } => {
                let names: Vec<_> = behind.iter().map(|behind| &behind.index[..]).collect();
                write!(
                    f,
                    "`logs` already is an alias of {}; nothing was changed. Give these indices another alias and remove `logs` from \
                     them. Then run `openreplay-elastic setup`, with `--also NAME` for each index that OpenReplay should continue to \
                     read",
                    names.join(", ")
                )
            }
            Self::Index => f.write_str(INDEX),
            Self::DataStream => f.write_str(DATA_STREAM),
            Self::WiredStream => f.write_str(WIRED_STREAM),
        }
    }
}

impl LogsState {
    /// Requests what the name `logs` stands for.
    ///
    /// # Errors
    ///
    /// If a request fails or is rejected.
    pub async fn query(client: &Client) -> Result<Self, Error> {
        // if that cannot be requested, the data stream that wired streams create is found below
        if wired_streams(client).await? == WiredStreams::On {
            return Ok(Self::WiredStream);
        }
        query(client).await
    }
}

async fn query(client: &Client) -> Result<LogsState, Error> {
    let Some(resolved) = resolve(client, LOGS).await? else {
        return Ok(LogsState::Nothing);
    };
    if !resolved.data_streams.is_empty() {
        return Ok(LogsState::DataStream);
    }
    if !resolved.indices.is_empty() {
        return Ok(LogsState::Index);
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
    let behind: Vec<_> = aliases
        .into_keys()
        .map(|index| BackingIndex {
            ours: is_ours(&index),
            index,
        })
        .collect();
    Ok(LogsState::Alias {
        write_index,
        behind,
    })
}

/// Returns what has this name, or `None` if nothing has it.
pub(super) async fn resolve(client: &Client, name: &str) -> Result<Option<Resolved>, Error> {
    let path = format!("/_resolve/index/{name}?expand_wildcards=all");
    let resolved: Resolved = match api::get(client, &path).await {
        // not the 404 of a proxy, which knows no index
        Err(error) if error.is_not_found() && error.reason().is_some() => return Ok(None),
        resolved => resolved?,
    };
    let Resolved {
        indices,
        aliases,
        data_streams,
    } = &resolved;
    let is_any = !(indices.is_empty() && aliases.is_empty() && data_streams.is_empty());
    Ok(is_any.then_some(resolved))
}

/// Returns the index that is marked as the write index, or the only index.
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

#[derive(Deserialize)]
pub(super) struct Resolved {
    pub(super) indices: Vec<ResolvedIndex>,
    pub(super) aliases: Vec<IgnoredAny>,
    pub(super) data_streams: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct ResolvedIndex {
    /// Such as `open` or `closed`.
    #[serde(default)]
    attributes: Vec<String>,
}

impl ResolvedIndex {
    pub(super) fn is_closed(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| attribute == "closed")
    }
}

#[derive(Deserialize)]
struct Aliases {
    aliases: BTreeMap<String, Alias>,
}

#[derive(Deserialize)]
struct Alias {
    is_write_index: Option<bool>,
}
