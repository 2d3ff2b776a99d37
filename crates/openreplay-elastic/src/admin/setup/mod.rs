//! Creates `logs`, the alias that OpenReplay reads, over indices whose hits come in time order.
//!
//! ```no_run
//! use openreplay_elastic::admin::setup::{self, SetupOptions};
//! use openreplay_elastic::{Client, Connection};
//!
//! # async fn example() -> Result<(), openreplay_elastic::Error> {
//! let connection = Connection::builder("http://localhost:9200").basic("elastic", "…").build()?;
//! let report = setup::run(&Client::new(&connection)?, &SetupOptions::default()).await?;
//! println!("records go to {}", report.write_index);
//! # Ok(())
//! # }
//! ```
//!
//! # What it creates
//!
//! An index template, so that [`rotate`](crate::admin::rotate) creates more of the same, and
//! `logs-000001` behind the alias `logs`: one shard, sorted on `@timestamp`; merges join neighbours
//! only; `message` is analysed text whose score is the same for each hit; the fields of events are
//! in one `fields`, so that they can neither disagree on a type nor explode the mapping. OpenReplay
//! requests hits without a sort and shows them as they come: this layout is what makes them come in
//! time order.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;

use self::template::Template;
use super::engine::{Engine, Flavor};
use super::logs::{BackingIndex, LogsState, resolve};
use crate::admin::check::Finding;
use crate::admin::panel::{self, SearchResult};
use crate::admin::{api, layout};
use crate::numbered::{LOGS, next_name};
use crate::transport::client::Client;
use crate::transport::error::Error;
use crate::transport::kind::Precondition;

mod also;
mod template;

/// The index template's name.
pub const TEMPLATE: &str = "openreplay-logs";
pub(super) const FIRST_INDEX: &str = "logs-000001";

/// What to set up beyond the alias itself.
#[derive(Clone, Debug, Default)]
pub struct SetupOptions {
    also: Vec<String>,
}

impl SetupOptions {
    /// Puts an existing index behind `logs`, for reading only. Default: none.
    #[must_use]
    pub fn also(mut self, index: impl Into<String>) -> Self {
        self.also.push(index.into());
        self
    }
}

/// What [`run`] did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SetupReport {
    /// The engine.
    pub engine: Engine,
    /// What this run did to `logs`.
    pub change: LogsChange,
    /// The index that new records go to.
    pub write_index: String,
    /// The indices of [`SetupOptions::also`] that are behind `logs` now.
    pub added: Vec<String>,
    /// Whether an initial record was written, since there was none.
    pub first_record: bool,
    /// What is wrong with the indices of [`SetupOptions::also`], and what to do.
    pub findings: Vec<Finding>,
}

/// What a run did to `logs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogsChange {
    /// Created it.
    Created,
    /// Restored its write index, which was missing: the newest index that an earlier run created.
    Repaired,
    /// Nothing: an earlier run created it.
    None,
}

impl SetupReport {
    /// The report for a store, which needs no setup.
    fn unchanged(engine: Engine) -> Self {
        Self {
            engine,
            change: LogsChange::None,
            write_index: FIRST_INDEX.to_owned(),
            added: Vec::new(),
            first_record: false,
            findings: Vec::new(),
        }
    }
}

/// Creates `logs`, unless an earlier run did, restores a missing write index, and writes an initial
/// record if there is none. Safe to rerun and to run concurrently. If it fails while it creates
/// `logs`, it removes what it created.
///
/// # Errors
///
/// [`Precondition`](crate::ErrorKind::Precondition) if `logs` is something else already, or
/// OpenReplay could not read an index of [`SetupOptions::also`]: nothing was changed then, and the
/// text names what was found and the remedy. Any other [`ErrorKind`](crate::ErrorKind) if a request
/// fails or is rejected.
pub async fn run(client: &Client, options: &SetupOptions) -> Result<SetupReport, Error> {
    options
        .also
        .iter()
        .try_for_each(|name| also::check_name(name))?;
    let engine = Engine::detect(client).await?;
    if engine.flavor == Flavor::Store {
        return Ok(SetupReport::unchanged(engine));
    }
    let found = usable_state(client).await?;
    let restorable = found.restorable().map(str::to_owned);
    let is_new = found == LogsState::Nothing;
    let mut findings = Vec::new();
    for index in &options.also {
        findings.extend(also::examine(client, index).await?);
    }

    let created = put_layout(client, engine.flavor, is_new).await?;
    if let Some(index) = &restorable {
        put_behind(client, &[index], true).await?;
    }
    let change = match restorable {
        _ if created => LogsChange::Created,
        Some(_) => LogsChange::Repaired,
        None => LogsChange::None,
    };
    let (write_index, behind) = LogsState::query(client).await?.written()?;
    let added = missing(&options.also, &behind);
    put_behind(client, &added, false).await?;
    let first_record = write_first_record(client, &write_index).await?;
    Ok(SetupReport {
        engine,
        change,
        write_index,
        added,
        first_record,
        findings,
    })
}

/// Returns what `logs` is, if `setup` can work with it: nothing, or an alias that an earlier run
/// created and that has, or can get, an index to write to.
async fn usable_state(client: &Client) -> Result<LogsState, Error> {
    let mut found = LogsState::query(client).await?;
    if found == LogsState::Nothing && resolve(client, FIRST_INDEX).await?.is_some() {
        found = created_meanwhile(client).await?;
    }
    let Some(index) = found.restorable() else {
        if found != LogsState::Nothing {
            found.clone().written()?;
        }
        return Ok(found);
    };
    if let Some(next) = next_name(index)
        && resolve(client, &next).await?.is_some()
    {
        // records belong there, and no rotation would get past it
        return Err(layout::next_in_use(index, &next));
    }
    Ok(found)
}

/// Replaces the template, and creates the first index if `logs` is new. Returns whether this run
/// created the index. If that fails, the earlier template is restored.
async fn put_layout(client: &Client, flavor: Flavor, is_new: bool) -> Result<bool, Error> {
    let template = Template::replace(client, flavor).await?;
    if !is_new {
        return Ok(false);
    }
    match create(client, flavor).await {
        Ok(created) => Ok(created),
        Err(error) => Err(template.undo(client, error).await),
    }
}

/// Returns those that are not behind `logs` yet, each once. One may be the write index.
fn missing(also: &[String], behind: &[BackingIndex]) -> Vec<String> {
    let mut missing = Vec::new();
    for index in also {
        let is_there = behind.iter().any(|behind| behind.index == *index);
        if !is_there && !missing.contains(index) {
            missing.push(index.clone());
        }
    }
    missing
}

/// Adds all indices in one request.
async fn put_behind(
    client: &Client,
    indices: &[impl AsRef<str>],
    to_write_to: bool,
) -> Result<(), Error> {
    if indices.is_empty() {
        return Ok(());
    }
    let add = |index: &str| json!({"add": {"index": index, "alias": LOGS, "is_write_index": to_write_to}});
    let actions: Vec<_> = indices.iter().map(|index| add(index.as_ref())).collect();
    api::send(
        client,
        Method::POST,
        "/_aliases",
        &json!({"actions": actions}),
    )
    .await?;
    Ok(())
}

/// Returns whether this run created the index; a concurrent run may have.
async fn create(client: &Client, flavor: Flavor) -> Result<bool, Error> {
    let mut body = layout::like(flavor);
    body["aliases"] = json!({LOGS: {"is_write_index": true}});
    match api::send(client, Method::PUT, &format!("/{FIRST_INDEX}"), &body).await {
        Ok(_) => Ok(true),
        Err(error) if error.error_type() == Some("resource_already_exists_exception") => {
            created_meanwhile(client).await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// If the first index exists, either another run created it just now, or it is in the way.
async fn created_meanwhile(client: &Client) -> Result<LogsState, Error> {
    match LogsState::query(client).await? {
        LogsState::Nothing => Err(Error::unmet(
            Precondition::FirstIndexInUse,
            format!(
                "an index {FIRST_INDEX} exists, but not behind `logs`: nothing was changed. If it is of an earlier \
                 `openreplay-elastic setup`, put it back (POST /_aliases {{\"actions\": [{{\"add\": {{\"index\": \"{FIRST_INDEX}\", \
                 \"alias\": \"logs\", \"is_write_index\": true}}}}]}}); else reindex it under another name and delete it. Then run this again"
            ),
        )),
        found => Ok(found),
    }
}

/// "Add" in OpenReplay's form fails as long as there is no record.
async fn write_first_record(client: &Client, index: &str) -> Result<bool, Error> {
    if !probe(client).await?.hits.is_empty() {
        return Ok(false);
    }
    let path = format!("/{index}/_create/openreplay-elastic-setup?refresh=true");
    match api::send(client, Method::PUT, &path, &layout::first_record()).await {
        Ok(_) => Ok(true),
        // another run did so at the same time
        Err(error) if error.status() == Some(StatusCode::CONFLICT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// An index that was created just now takes a moment until it can be searched.
async fn probe(client: &Client) -> Result<SearchResult, Error> {
    let mut attempts = 0;
    loop {
        match panel::probe(client).await {
            Err(error)
                if error.status() == Some(StatusCode::SERVICE_UNAVAILABLE) && attempts < 100 =>
            {
                attempts += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            result => return result,
        }
    }
}
