//! A bounded buffer of log records between the code that logs and the thread that stores them.
//!
//! Log calls never block: a record that does not fit is dropped, counted and reported. Most
//! programs do not need this crate: [`openreplay-elastic`] uses it to send records to
//! Elasticsearch, and [`openreplay-store`] to store them on one machine. Use it directly if you
//! write a sink of your own. The crate does no I/O, except for reports on standard error.
//!
//! ```toml
//! [dependencies]
//! openreplay-buffer = "0.1"
//! ```
//!
//! A thread takes chunks of records from the buffer, stores them, and reports the outcome:
//!
//! ```
//! use std::io::Write as _;
//! use std::sync::Arc;
//!
//! use openreplay_buffer::{Buffer, Diagnostics, Lines, Options};
//!
//! fn main() -> std::io::Result<()> {
//!     let options = Options::new("the archive");
//!     let buffer = Arc::new(Buffer::new(options, Lines, Diagnostics::to_stderr("example")));
//!     buffer.push(br#"{"level":"error","message":"no such order"}"#, None);
//!
//!     for chunk in buffer.take() {
//!         let (id, records) = (chunk.id(), chunk.records());
//!         let bytes = buffer.lend(chunk);
//!         std::io::stdout().write_all(bytes.as_ref())?; // one record per line
//!         buffer.stored(id, records);
//!         # assert_eq!(bytes.as_ref(), b"{\"level\":\"error\",\"message\":\"no such order\"}\n");
//!     }
//!
//!     let stats = buffer.stats();
//!     assert_eq!((stats.accepted, stats.indexed), (1, 1));
//!     Ok(())
//! }
//! ```
//!
//! A sender that runs in the background awaits [`Buffer::next`] instead, which collects records for
//! an [`Interval`].
//!
//! # Accounts
//!
//! At every moment, `accepted == indexed + rejected + dropped + queued`. See [`Stats`].
//!
//! # Priorities
//!
//! If the buffer is full, debug and info records are dropped first, and warnings and errors last.
//! See [`Priority`]. [`Buffer::report_drops`] then writes a record with the number of dropped
//! records.
//!
//! # Memory
//!
//! Records are stored in chunks of memory that are reused. In steady state, a log call does not
//! allocate.
//!
//! # Features
//!
//! This crate has no features.
//!
//! # See also
//!
//! - [`openreplay-elastic`]: sends records to Elasticsearch
//! - [`openreplay-store`]: keeps records on one machine
//! - [`tracing-openreplay`](https://docs.rs/tracing-openreplay): writes records with `tracing`
//!
//! [`openreplay-elastic`]: https://docs.rs/openreplay-elastic
//! [`openreplay-store`]: https://docs.rs/openreplay-store

mod buffer;
mod chunk;
mod diagnostics;
mod framing;
mod interval;
mod ledger;
mod lent;
mod level;
mod line;
mod losses;
mod queue;
mod schedule;
mod stats;
#[cfg(test)]
mod tests;

pub use self::buffer::{Buffer, Options};
pub use self::chunk::{Chunk, Priority};
pub use self::diagnostics::{Diagnostics, Topic};
pub use self::framing::{Framing, Lines};
pub use self::interval::Interval;
pub use self::lent::Lent;
pub use self::line::LineWriter;
pub use self::stats::{Flushed, Stats};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
