//! Keeps log records for OpenReplay in files of this machine, without Elasticsearch.
//!
//! ```toml
//! [dependencies]
//! openreplay-session = "0.1"
//! openreplay-store = "0.1"
//! ```
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
//! `Store::writer` is a writer for the layers of `tracing-openreplay`, and `Store::service` serves
//! the records to OpenReplay over HTTP. The crate has no features.
//!
//! # Sessions and times
//!
//! A record belongs to each session that its `message` names, wherever OpenReplay's query to
//! Elasticsearch would find it. Its time is its `@timestamp`, in every form that Elasticsearch
//! accepts for a `date_nanos` field. Without a time that can be read, it is the time of its first
//! arrival. The line is kept as it was received.
//!
//! # Files
//!
//! The folder has one SQLite file per day (UTC), named after it, such as `2026-07-01.sqlite`, with
//! the day's records by session, time and `_id`. Records without a session are in
//! `2026-07-01-no-session.sqlite`, by the day on which they arrived, and are kept for one day more.
//! `sqlite3` opens the files: keys and times (in nanoseconds) are readable, records are compressed,
//! so use [`Store::export`] for those.
//!
//! # Exactly once
//!
//! [`Store::write`] returns once the records are on disk. A record that is sent again has the same
//! `_id` and time, and is stored once. Two records with one `_id` and different times are two
//! records: an index on `_id` alone would cost a fifth of the CPU time. After a crash at any
//! moment, nothing that was acknowledged is missing.
//!
//! A day whose file is damaged is renamed and reported. The other days are not affected.
//!
//! # Limits
//!
//! One process at a time has a store open to write. Its lock names it to the others. The time of a
//! record may be as far back as the store keeps records, and at most one day ahead of this
//! machine's clock; others are rejected.

pub use self::batch::Batch;
pub use self::entry::{Outcome, Rejected};
pub use self::error::Error;
pub use self::http::{ResponseFuture, StoreService};
pub use self::keys::{Key, Keys, Rights};
pub use self::query::Record;
pub use self::store::{Store, StoreBuilder};
pub use self::writer::{Line, StoreWriter, WriterGuard};
pub use openreplay_buffer::{Flushed, Stats};

mod batch;
mod codec;
mod damaged;
mod day;
mod document;
mod entry;
mod error;
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
