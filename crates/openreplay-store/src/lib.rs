//! Stores log records for [OpenReplay](https://openreplay.com) in local files, without
//! Elasticsearch.
//!
//! A [`Store`] keeps the records in one SQLite file per day. [`Store::writer`] is a writer for the
//! layers of [`tracing-openreplay`], and [`Store::service`] serves the records to OpenReplay over
//! HTTP, with the routes of Elasticsearch that OpenReplay needs.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! openreplay-store = "0.1"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "signal"] }
//! tower-openreplay = "0.1"
//! tracing = "0.1"
//! tracing-openreplay = "0.1"
//! ```
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use openreplay_store::{Keys, Store};
//! use tower_openreplay::{RequestLogLayer, SessionLayer};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let store = Store::open("records")?;
//!     let (writer, _guard) = store.writer()?;
//!     tracing_openreplay::json().with_writer(writer).init();
//!     let app = Router::new()
//!         .route("/api/price", get(price))
//!         .layer(RequestLogLayer::new())
//!         .layer(SessionLayer::new())
//!         .nest_service("/openreplay", store.service(Keys::open("records")?));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).with_graceful_shutdown(stop()).await?;
//!     Ok(()) // `_guard` stores the remaining records, for at most 5 seconds
//! }
//!
//! async fn price() -> &'static str {
//!     tracing::info!(order = 17, "price requested");
//!     "12.50"
//! }
//!
//! async fn stop() {
//!     let _ = tokio::signal::ctrl_c().await;
//! }
//! ```
//!
//! In OpenReplay's form for Elasticsearch, enter the app's URL with `/openreplay`, and the first
//! key in `records/keys.json`.
//!
//! # Reading and writing directly
//!
//! ```
//! use openreplay_session::SessionId;
//! use openreplay_store::{Batch, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let store = Store::open(folder)?;
//!
//! let mut batch = Batch::new();
//! batch.create(Some("1"), r#"{"level":"info","message":"[openReplaySession.id=42] paid"}"#);
//! store.write(batch)?;
//!
//! let records = store.session(&SessionId::from(42), 1_000)?;
//! assert_eq!(records[0].id, "1");
//! # Ok(())
//! # }
//! ```
//!
//! # Sessions and times
//!
//! A record belongs to each session that its `message` names, that is, each session whose query to
//! Elasticsearch would find the record. The time of a record is its `@timestamp`, in any form that
//! Elasticsearch accepts for a `date_nanos` field. A record without a valid time has the time of
//! its first arrival. Lines are stored as they were received.
//!
//! # Files
//!
//! The folder contains one SQLite file per day (UTC), such as `2026-07-01.sqlite`, with the records
//! of that day by session, time and `_id`. Records without a session are in files such as
//! `2026-07-01-no-session.sqlite`, by the day of their arrival, and are kept for one more day. The
//! files can be read with `sqlite3`: keys and times (in nanoseconds) are readable, but records are
//! compressed. To read the records, use [`Store::export`].
//!
//! If the file of a day is damaged, it is renamed and reported. Other days are not affected.
//!
//! # Durability
//!
//! [`Store::write`] returns once the records are on disk. After a crash at any moment, no
//! acknowledged record is missing.
//!
//! A record that is sent again has the same `_id` and time, and is only stored once. Two records
//! with the same `_id` and different times are both stored, because an index on `_id` alone would
//! cost a fifth of the CPU time.
//!
//! # Limits
//!
//! Only one process at a time can open a store for writing; another process gets an error that
//! names the first. The time of a record must be within the period for which the store keeps
//! records, and at most one day ahead of this machine's clock. Other records are rejected.
//!
//! # Features
//!
//! This crate has no features.
//!
//! # See also
//!
//! - [`tracing-openreplay`]: the layers that write the records
//! - [`tower-openreplay`](https://docs.rs/tower-openreplay): the layers that set the session of
//!   each request and log it
//! - [`openreplay-elastic`](https://docs.rs/openreplay-elastic): sends the records to
//!   Elasticsearch, for more than one machine
//! - [`openreplay-elastic-cli`](https://docs.rs/crate/openreplay-elastic-cli): the command
//!   `openreplay-elastic serve`, which runs a store for several apps
//! - `docs/without-elasticsearch.md` in the repository: how to connect a store and OpenReplay
//!
//! [`tracing-openreplay`]: https://docs.rs/tracing-openreplay

pub use self::batch::Batch;
pub use self::entry::{Outcome, Rejected};
pub use self::error::Error;
pub use self::http::{ResponseFuture, StoreService};
pub use self::keys::{Key, Keys, Rights};
pub use self::query::Record;
pub use self::store::{Store, StoreBuilder};
pub use self::writer::{Guard, LineWriter, StoreWriter};
pub use openreplay_buffer::{Flushed, Stats};

mod batch;
mod buffer;
mod codec;
mod damaged;
mod day;
mod document;
mod entry;
mod error;
mod folder;
mod http;
mod ingest;
mod key;
mod keys;
mod lock;
mod message;
mod pending;
mod query;
mod reader;
mod retention;
mod room;
mod schema;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod time;
mod write;
mod writer;
mod writers;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
