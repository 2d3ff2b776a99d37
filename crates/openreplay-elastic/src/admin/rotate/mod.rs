//! Rolls `logs` over to a new index and removes old ones, by aliases only: it needs no lifecycle
//! management.
//!
//! ```no_run
//! use std::time::Duration;
//! use openreplay_elastic::admin::rotate::{self, RotateOptions};
//!
//! # async fn example(client: openreplay_elastic::Client) -> Result<(), openreplay_elastic::Error> {
//! let options = RotateOptions::default()
//!     .max_age(Duration::from_secs(24 * 60 * 60))
//!     .max_size("20gb".parse()?)
//!     .retain_for(Duration::from_secs(14 * 24 * 60 * 60));
//! let rotation = rotate::run(&client, &options).await?;
//! println!("removed: {:?}", rotation.removed);
//! # Ok(())
//! # }
//! ```

use std::time::{Duration, SystemTime};

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::admin::engine::Engine;
use crate::admin::logs::{BackingIndex, LogsState};
use crate::admin::units::{Age, Size};
use crate::admin::{api, layout};
use crate::numbered::{LOGS, next_name, number};
use crate::transport::client::Client;
use crate::transport::error::Error;
use crate::transport::kind::{ErrorKind, Precondition};

#[cfg(test)]
mod tests;

/// A sender may still be repeating a batch to the index that it first went to: an `_id` is unique
/// in one index only.
const LEAST_RETENTION: Duration = Duration::from_secs(60 * 60);
/// How often, ten times a second, to request whether another run rolled over, and whether the new
/// index is ready.
const ATTEMPTS: u32 = 20;

/// When to roll over, and what to remove.
#[derive(Clone, Debug, Default)]
pub struct RotateOptions {
    max_age: Option<Age>,
    max_size: Option<Size>,
    retention: Option<Age>,
}

impl RotateOptions {
    /// Rolls over once the index is older than this. Takes a [`Duration`] or an [`Age`]. Default:
    /// age is ignored.
    #[must_use]
    pub fn max_age(mut self, age: impl Into<Age>) -> Self {
        self.max_age = Some(age.into());
        self
    }

    /// Rolls over once the index is larger than this. Default: size is ignored.
    #[must_use]
    pub fn max_size(mut self, size: Size) -> Self {
        self.max_size = Some(size);
        self
    }

    /// Removes indices whose last record is older than this, at least an hour. Takes a [`Duration`]
    /// or an [`Age`]. Default: none.
    #[must_use]
    pub fn retain_for(mut self, age: impl Into<Age>) -> Self {
        self.retention = Some(age.into());
        self
    }

    fn conditions(&self) -> Map<String, Value> {
        let mut conditions = Map::new();
        if let Some(age) = self.max_age {
            conditions.insert("max_age".into(), age.to_string().into());
        }
        if let Some(size) = self.max_size {
            conditions.insert("max_size".into(), size.to_string().into());
        }
        conditions
    }
}

/// What [`run`] did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rotation {
    /// The index that `logs` wrote to before.
    pub from: String,
    /// The index that `logs` writes to now, if it is another one.
    pub to: Option<String>,
    /// Whether the new index takes records; true as well if there is none. If false, senders keep
    /// their records and try again.
    pub is_ready: bool,
    /// The indices that were removed, the oldest first.
    pub removed: Vec<String>,
}

/// Rolls over if one of the conditions holds, or there are none; waits until the new index takes
/// records, for some seconds at most; then removes what is too old. Concurrent runs roll over only
/// once.
///
/// Only indices that [`setup`](crate::admin::setup) or a rotation created are ever removed, never
/// one that came by `setup`'s option `also`.
///
/// # Errors
///
/// [`Precondition`](ErrorKind::Precondition) if `logs` is not what [`setup`](crate::admin::setup)
/// creates, or the next index exists and is not written to; [`Config`](ErrorKind::Config) for a
/// retention below an hour. Any other [`ErrorKind`] if a request fails or is rejected; if the
/// response to the rollover was lost, the text reports where `logs` writes to.
pub async fn run(client: &Client, options: &RotateOptions) -> Result<Rotation, Error> {
    let retention = options.retention.map(Duration::from);
    if retention.is_some_and(|retention| retention < LEAST_RETENTION) {
        return Err(Error::config(
            "the retention is below 1h; expected at least 1h, because a sender may still resend a batch to the index that it was \
             first sent to",
        ));
    }
    let (from, _) = LogsState::query(client).await?.written()?;
    let to = roll_over(client, &from, options).await?;
    let is_ready = match &to {
        Some(to) => is_ready(client, to).await,
        None => true,
    };
    let removed = match retention {
        Some(retention) => remove_older(client, retention).await?,
        None => Vec::new(),
    };
    Ok(Rotation {
        from,
        to,
        is_ready,
        removed,
    })
}

/// The new index is named here, so that a second run finds it and does no more.
async fn roll_over(
    client: &Client,
    from: &str,
    options: &RotateOptions,
) -> Result<Option<String>, Error> {
    let Some(to) = next_name(from) else {
        return Err(Error::unmet(
            Precondition::NoNextIndex,
            format!(
                "{from} does not end in a number, so the next index has no name; nothing was changed. Roll over once by hand (POST \
                 /logs/_rollover/logs-000002), then run this again"
            ),
        ));
    };
    // Elasticsearch responds before the client gives up; the shards are waited for afterwards.
    let path =
        format!("/{LOGS}/_rollover/{to}?timeout=10s&master_timeout=10s&wait_for_active_shards=0");
    let mut body = layout::like(Engine::detect(client).await?.flavor);
    body["conditions"] = options.conditions().into();
    // no request in between, or the moment may be over
    tokio::time::sleep(until_quiet(SystemTime::now())).await;
    match api::send(client, Method::POST, &path, &body).await {
        Ok(response) => {
            let rolled: Rolled = response.json()?;
            Ok(rolled.rolled_over.then_some(to))
        }
        Err(error) if error.error_type() == Some("resource_already_exists_exception") => {
            created_meanwhile(client, from, &to).await?;
            Ok(None)
        }
        Err(error) if error.is_timeout() || error.is_disconnected() => {
            lost(client, from, to, error).await
        }
        Err(error) => Err(layout::explained(error)),
    }
}

/// The response to the rollover was lost: tells from the alias whether it happened.
async fn lost(
    client: &Client,
    from: &str,
    to: String,
    error: Error,
) -> Result<Option<String>, Error> {
    let state = LogsState::query(client).await;
    match state.and_then(LogsState::written) {
        Ok((index, _)) if index == to => Ok(Some(to)),
        Ok((index, _)) => Err(error.explained(&format!(
            "the rollover from {from} got no response, and `logs` still writes to {index}; run this again"
        ))),
        Err(_) => Err(error.explained(&format!(
            "the rollover from {from} got no response, and the write index of `logs` is unknown; run this again"
        ))),
    }
}

/// Whether the new index takes records, which can take a moment.
async fn is_ready(client: &Client, index: &str) -> bool {
    let path = format!("/_cluster/health/{index}");
    for attempt in 0..ATTEMPTS {
        match api::get::<Health>(client, &path).await {
            Ok(health) if health.status != "red" => return true,
            // these credentials cannot find out
            Err(error) if error.is_forbidden() => return true,
            _ if attempt + 1 < ATTEMPTS => tokio::time::sleep(Duration::from_millis(100)).await,
            _ => {}
        }
    }
    false
}

/// If the next index exists, either another run created it just now, or it is in the way.
async fn created_meanwhile(client: &Client, from: &str, next: &str) -> Result<(), Error> {
    // an engine may reject the second rollover before it shows what the first one did
    for _ in 0..ATTEMPTS {
        let (write_index, _) = LogsState::query(client).await?.written()?;
        if write_index != from {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(layout::next_in_use(from, next))
}

/// How long until the apps have sent the records of a second, which they do in the first quarter of
/// the next one: what one of them still adds to the old index is then no younger than what others
/// add to the new one. Soon after, since rolling over takes a while.
fn until_quiet(now: SystemTime) -> Duration {
    const SECOND: u32 = 1_000_000_000;
    const QUIET: u32 = 350_000_000;
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let past = since.unwrap_or_default().subsec_nanos();
    Duration::from_nanos(((SECOND + QUIET - past) % SECOND).into())
}

async fn remove_older(client: &Client, retention: Duration) -> Result<Vec<String>, Error> {
    let LogsState::Alias {
        behind,
        write_index,
        ..
    } = LogsState::query(client).await?
    else {
        return Ok(Vec::new());
    };
    let indices = ours_in_order(client, &behind).await?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let limit = now.saturating_sub(retention);
    let mut removed = Vec::new();
    for pair in indices.windows(2) {
        let [(_, own, index), (_, next, _)] = pair else {
            continue;
        };
        // nothing came after the next one was created
        let last_record = own.max(next);
        if *last_record >= limit || write_index.as_ref() == Some(index) {
            continue;
        }
        let actions = json!({"actions": [{"remove_index": {"index": index}}]});
        match api::send(client, Method::POST, "/_aliases", &actions).await {
            Ok(_) => removed.push(index.clone()),
            // another was faster
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

/// Returns the number, the creation and the name of each index that an earlier run created.
async fn ours_in_order(
    client: &Client,
    behind: &[BackingIndex],
) -> Result<Vec<(Option<u64>, Duration, String)>, Error> {
    let path = format!("/_cat/indices/{LOGS}?format=json&h=index,creation.date");
    let rows: Vec<CatRow> = api::get(client, &path).await?;
    let mut indices = Vec::new();
    for row in rows {
        let mut ours = behind.iter().filter(|behind| behind.ours);
        if ours.any(|behind| behind.index == row.index) {
            indices.push((number(&row.index), row.created()?, row.index));
        }
    }
    // not by creation: a copy of older records is created later than what follows it
    indices.sort_unstable();
    Ok(indices)
}

#[derive(Deserialize)]
struct Rolled {
    rolled_over: bool,
}

#[derive(Deserialize)]
struct Health {
    status: String,
}

#[derive(Deserialize)]
struct CatRow {
    index: String,
    #[serde(rename = "creation.date")]
    creation_date: String,
}

impl CatRow {
    /// Since 1970.
    fn created(&self) -> Result<Duration, Error> {
        let milliseconds = self.creation_date.parse().map_err(|error| {
            Error::new(
                ErrorKind::UnexpectedResponse,
                format!("{} has no date of creation", self.index),
            )
            .with_source(error)
        })?;
        Ok(Duration::from_millis(milliseconds))
    }
}
