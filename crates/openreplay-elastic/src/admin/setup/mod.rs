//! Makes `logs` the alias that OpenReplay reads in time order.
//!
//! ```no_run
//! use openreplay_elastic::admin::setup::{self, SetupOptions};
//! use openreplay_elastic::{Client, Connection};
//!
//! # async fn example() -> Result<(), openreplay_elastic::Error> {
//! let connection = Connection::builder("http://localhost:9200").basic("elastic", "…").build()?;
//! let done = setup::run(&Client::new(&connection)?, &SetupOptions::default()).await?;
//! println!("records go to {}", done.write_index);
//! # Ok(())
//! # }
//! ```
//!
//! # What it makes
//!
//! An index template, so that [`rotate`](crate::admin::rotate) gives more of the same, and `logs-000001` behind the alias `logs`:
//! one shard, sorted on `@timestamp`; merges join neighbours only; `message` is analysed text whose score is the same for
//! each hit; the fields of events stand under one `fields`, so that they can neither disagree on a type nor explode
//! the mapping. OpenReplay asks for hits without a sort and shows them as they come: this is what makes them come
//! in the order of time.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;

pub use self::engine::{Engine, Flavor};
use self::found::resolve;
pub use self::found::{BackingIndex, LogsState, find};
use crate::Client;
use crate::admin::api;
use crate::admin::check::Finding;
use crate::admin::panel;
use crate::admin::panel::SearchResult;
use crate::numbered::LOGS;
use crate::numbered::{next_in_use, next_name};
use crate::transport::error::Error;
use crate::transport::kind::Precondition;

mod also;
mod engine;
mod found;
pub(crate) mod layout;

/// The index template's name.
pub const TEMPLATE: &str = "openreplay-logs";
const FIRST_INDEX: &str = "logs-000001";

/// What is wanted beyond the alias itself.
#[derive(Clone, Debug, Default)]
pub struct SetupOptions {
    also: Vec<String>,
}

impl SetupOptions {
    /// Puts a further, existing index behind `logs`, to be read only. Default: none.
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
    /// Which engine this is.
    pub engine: Engine,
    /// Whether `logs` is new. If not, it was there already, made by an earlier run.
    pub created: bool,
    /// Whether `logs` was there without an index to write to, and has one again: the newest of an earlier run's making.
    pub repaired: bool,
    /// The index that new records go to.
    pub write_index: String,
    /// The indices that came behind `logs` by [`SetupOptions::also`].
    pub added: Vec<String>,
    /// Whether a first record was written, since there was none.
    pub first_record: bool,
    /// What is not as it should be in the indices of [`SetupOptions::also`], and what to do.
    pub findings: Vec<Finding>,
}

/// Makes `logs`, unless an earlier run did, names an index to write to where it has lost that, and writes a first record if there is
/// none. Safe to run again, and by two at once.
///
/// # Errors
///
/// [`is_precondition`](Error::is_precondition) where `logs` is something else already, or OpenReplay could not read an index of
/// [`SetupOptions::also`]: nothing was changed then, the text names what was found and the remedy, and
/// [`kind`](Error::kind) tells it. Also where Elasticsearch cannot be asked or refuses.
pub async fn run(client: &Client, options: &SetupOptions) -> Result<SetupReport, Error> {
    options
        .also
        .iter()
        .try_for_each(|name| also::accept(name))?;
    let engine = Engine::ask(client).await?;
    if engine.flavor == Flavor::Store {
        return Ok(SetupReport {
            engine,
            created: false,
            repaired: false,
            write_index: FIRST_INDEX.to_owned(),
            added: Vec::new(),
            first_record: false,
            findings: Vec::new(),
        });
    }
    let found = find(client).await?;
    let found = match found == LogsState::Nothing && resolve(client, FIRST_INDEX).await?.is_some() {
        true => made_meanwhile(client).await?,
        false => found,
    };
    let to_write_to = found.to_write_to().map(str::to_owned);
    let is_new = found == LogsState::Nothing;
    if !is_new && to_write_to.is_none() {
        found.written()?;
    }
    if let Some(index) = &to_write_to
        && let Some(next) = next_name(index)
        && resolve(client, &next).await?.is_some()
    {
        // records belong there, and no rotation would get past it
        return Err(next_in_use(index, &next));
    }
    let mut findings = Vec::new();
    for index in &options.also {
        findings.extend(also::look_at(client, index).await?);
    }

    let path = format!("/_index_template/{TEMPLATE}");
    api::send(client, Method::PUT, &path, &layout::template(engine.flavor)).await?;
    let created = is_new && create(client, engine.flavor).await?;
    if let Some(index) = &to_write_to {
        put_behind(client, &[index], true).await?;
    }
    let (write_index, behind) = find(client).await?.written()?;

    let mut added = Vec::new();
    for index in &options.also {
        // it may be the one that is written to
        let is_there = behind.iter().any(|behind| behind.index == *index);
        if !is_there && !added.contains(index) {
            added.push(index.clone());
        }
    }
    put_behind(client, &added, false).await?;
    let first_record = write_first_record(client, &write_index).await?;
    Ok(SetupReport {
        engine,
        created,
        repaired: to_write_to.is_some(),
        write_index,
        added,
        first_record,
        findings,
    })
}

/// All of them or none.
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

/// Whether this run did it, and not another at the same time.
async fn create(client: &Client, flavor: Flavor) -> Result<bool, Error> {
    let mut body = layout::like(flavor);
    body["aliases"] = json!({LOGS: {"is_write_index": true}});
    match api::send(client, Method::PUT, &format!("/{FIRST_INDEX}"), &body).await {
        Ok(_) => Ok(true),
        Err(error) if error.error_type() == Some("resource_already_exists_exception") => {
            made_meanwhile(client).await?;
            Ok(false)
        }
        Err(error) => Err(layout::explained(error)),
    }
}

/// Where the first index is there: either another run made it just now, or it is in the way.
async fn made_meanwhile(client: &Client) -> Result<LogsState, Error> {
    match find(client).await? {
        LogsState::Nothing => Err(Error::unmet(
            Precondition::FirstIndexInUse,
            format!(
                "an index {FIRST_INDEX} is there, but not behind `logs`: nothing was changed. If it is of an earlier \
                 `openreplay-elastic setup`, put it back (POST /_aliases {{\"actions\": [{{\"add\": {{\"index\": \"{FIRST_INDEX}\", \
                 \"alias\": \"logs\", \"is_write_index\": true}}}}]}}); else reindex it under another name and delete it. Then run this again"
            ),
        )),
        found => Ok(found),
    }
}

/// "Add" in OpenReplay's form fails as long as there is no record.
async fn write_first_record(client: &Client, index: &str) -> Result<bool, Error> {
    if !searched(client).await?.hits.is_empty() {
        return Ok(false);
    }
    let path = format!("/{index}/_create/openreplay-elastic-setup?refresh=true");
    match api::send(client, Method::PUT, &path, &layout::first_record()).await {
        Ok(_) => Ok(true),
        // another did at the same time
        Err(error) if error.status() == Some(StatusCode::CONFLICT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// An index that was made just now takes a moment until it can be searched.
async fn searched(client: &Client) -> Result<SearchResult, Error> {
    let mut attempts = 0;
    loop {
        match panel::probe(client).await {
            Err(error)
                if error.status() == Some(StatusCode::SERVICE_UNAVAILABLE) && attempts < 100 =>
            {
                attempts += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            asked => return asked,
        }
    }
}

pub(crate) fn is_index_name(name: &str) -> bool {
    let is_wrong = |c: char| c.is_whitespace() || c.is_control() || "\\/*?\"<>|,#%:".contains(c);
    !name.is_empty() && !name.contains(is_wrong) && !name.starts_with(['-', '_', '+', '.'])
}
