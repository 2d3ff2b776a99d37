//! Rolls `logs` over to a new index and removes old ones, by aliases only: it needs no lifecycle management.
//!
//! ```no_run
//! use openreplay_elastic::admin::rotate::{self, Age, RotateOptions};
//!
//! # async fn example(client: openreplay_elastic::Client) -> Result<(), openreplay_elastic::Error> {
//! let options = RotateOptions::default()
//!     .max_age("1d".parse()?)
//!     .max_size("20gb".parse()?)
//!     .retain_for("14d".parse()?);
//! let done = rotate::run(&client, &options).await?;
//! println!("removed: {:?}", done.removed);
//! # Ok(())
//! # }
//! ```

use std::time::{Duration, SystemTime};

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub use self::units::{Age, Size};
use crate::Client;
use crate::admin::api;
use crate::admin::setup::{Engine, LogsState, find, layout};
use crate::numbered::LOGS;
use crate::numbered::{next_in_use, next_name, number};
use crate::transport::error::Error;
use crate::transport::kind::{ErrorKind, Precondition};

#[cfg(test)]
mod tests;
mod units;

/// A sender may still be repeating a batch to the index that it first went to: an `_id` is unique in one index only.
const LEAST_KEEP: Duration = Duration::from_secs(60 * 60);
/// How often it is asked, ten times a second, whether another run rolled over.
const ATTEMPTS: u32 = 20;

/// When to roll over, and what to remove.
#[derive(Clone, Debug, Default)]
pub struct RotateOptions {
    max_age: Option<Age>,
    max_size: Option<Size>,
    keep: Option<Age>,
}

impl RotateOptions {
    /// Rolls over an index that is older. Default: whatever the age.
    #[must_use]
    pub fn max_age(mut self, age: Age) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Rolls over an index that is larger. Default: whatever the size.
    #[must_use]
    pub fn max_size(mut self, size: Size) -> Self {
        self.max_size = Some(size);
        self
    }

    /// Removes indices whose last record is older, at least an hour. Default: none.
    #[must_use]
    pub fn retain_for(mut self, age: Age) -> Self {
        self.keep = Some(age);
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
    /// The index that records went to before.
    pub from: String,
    /// The one that they go to now, if that is another.
    pub to: Option<String>,
    /// The indices that were removed, oldest first.
    pub removed: Vec<String>,
}

/// Rolls over if one of the conditions holds, or there are none; then removes what is too old. Two at once do it once.
///
/// Only indices of [`setup`](crate::admin::setup)'s making are ever removed, never one that came by its option `also`.
///
/// # Errors
///
/// [`is_precondition`](Error::is_precondition) where `logs` is not what [`setup`](crate::admin::setup) makes, or the next index is there and not written
/// to; [`is_config`](Error::is_config) for less than an hour to keep; else where Elasticsearch cannot be asked or refuses.
pub async fn run(client: &Client, options: &RotateOptions) -> Result<Rotation, Error> {
    if options.keep.is_some_and(|age| age.duration() < LEAST_KEEP) {
        return Err(Error::config(
            "less than an hour to keep: expected at least 1h, since a sender may still be repeating a batch to the index \
             that it first went to",
        ));
    }
    let (from, _) = find(client).await?.written()?;
    let to = roll_over(client, &from, options).await?;
    let removed = match options.keep {
        Some(age) => remove_older(client, age.duration()).await?,
        None => Vec::new(),
    };
    Ok(Rotation { from, to, removed })
}

/// The new index is named here, so that whoever comes second finds it there and does no more.
async fn roll_over(
    client: &Client,
    from: &str,
    options: &RotateOptions,
) -> Result<Option<String>, Error> {
    let Some(to) = next_name(from) else {
        return Err(Error::unmet(
            Precondition::NoNextIndex,
            format!(
                "{from} does not end in a number, so there is no next one: nothing was changed. Roll over by hand to one that does \
                 (POST /logs/_rollover/logs-000002), and rotate goes on from there"
            ),
        ));
    };
    let path = format!("/{LOGS}/_rollover/{to}");
    let mut body = layout::like(Engine::ask(client).await?.flavor);
    body["conditions"] = options.conditions().into();
    // nothing is asked in between, or the moment may be over
    tokio::time::sleep(until_quiet(SystemTime::now())).await;
    match api::send(client, Method::POST, &path, &body).await {
        Ok(answer) => {
            let rolled: Rolled = answer.json()?;
            Ok(rolled.rolled_over.then_some(to))
        }
        Err(error) if error.error_type() == Some("resource_already_exists_exception") => {
            made_meanwhile(client, from, &to).await?;
            Ok(None)
        }
        Err(error) => Err(layout::explained(error)),
    }
}

/// Where the next index is there: either another run made it just now, or it is in the way.
async fn made_meanwhile(client: &Client, from: &str, next: &str) -> Result<(), Error> {
    // an engine may refuse the second rollover before it shows what the first one did
    for _ in 0..ATTEMPTS {
        let (write_index, _) = find(client).await?.written()?;
        if write_index != from {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(next_in_use(from, next))
}

/// How long until the apps have sent the records of a second, which they do in the first quarter of the next one: what one of them
/// still adds to the old index is then no younger than what others add to the new one. Soon after, since rolling over takes a while.
fn until_quiet(now: SystemTime) -> Duration {
    const SECOND: u32 = 1_000_000_000;
    const QUIET: u32 = 350_000_000;
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let past = since.unwrap_or_default().subsec_nanos();
    Duration::from_nanos(((SECOND + QUIET - past) % SECOND).into())
}

async fn remove_older(client: &Client, keep: Duration) -> Result<Vec<String>, Error> {
    let LogsState::Alias {
        behind,
        write_index,
        ..
    } = find(client).await?
    else {
        return Ok(Vec::new());
    };
    let ours: Vec<_> = behind.into_iter().filter(|behind| behind.ours).collect();
    let path = format!("/_cat/indices/{LOGS}?format=json&h=index,creation.date");
    let rows: Vec<CatRow> = api::get(client, &path).await?;
    let mut indices = Vec::new();
    for row in rows {
        if ours.iter().any(|behind| behind.index == row.index) {
            indices.push((number(&row.index), row.created()?, row.index));
        }
    }
    // not by creation: a copy of older records is made later than what follows it
    indices.sort_unstable();

    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let limit = now.saturating_sub(keep);
    let mut removed = Vec::new();
    for pair in indices.windows(2) {
        let [(_, own, index), (_, next, _)] = pair else {
            continue;
        };
        // nothing came after the next one was made
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

#[derive(Deserialize)]
struct Rolled {
    rolled_over: bool,
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
