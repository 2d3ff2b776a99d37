//! A bounded buffer of log records between the code that logs and the thread that stores them.
//!
//! Log calls never block: a record that does not fit is dropped, counted and reported.
//! `openreplay-elastic` sends what it takes from this buffer to Elasticsearch; the crate itself
//! does no I/O.
//!
//! ```toml
//! [dependencies]
//! openreplay-buffer = "0.1"
//! ```
//!
//! ```
//! use std::sync::Arc;
//!
//! use openreplay_buffer::{Buffer, Diagnostics, Lines, Options};
//!
//! let options = Options::new("the archive");
//! let buffer = Arc::new(Buffer::new(options, Lines, Diagnostics::to_stderr("example")));
//! buffer.push(br#"{"level":"error","message":"no such order"}"#, None);
//!
//! for chunk in buffer.take() {
//!     let (id, records) = (chunk.id(), chunk.records());
//!     let bytes = buffer.lend(chunk);
//!     // store these bytes, one record a line, and then:
//!     buffer.stored(id, records);
//!     # assert_eq!(bytes.as_ref(), b"{\"level\":\"error\",\"message\":\"no such order\"}\n");
//! }
//! let stats = buffer.stats();
//! assert_eq!((stats.accepted, stats.indexed), (1, 1));
//! ```
//!
//! The crate has no features.
//!
//! # Accounts
//!
//! Each record is in one place, so at every moment `accepted == indexed + rejected + dropped +
//! queued`: see [`Stats`].
//!
//! # Priorities
//!
//! Warnings and errors have memory of their own kind ([`Priority::High`]). When the buffer is full,
//! debug and info records are dropped first. [`report_drops`](Buffer::report_drops) writes a record
//! with the number of those that were dropped.
//!
//! # Memory
//!
//! Records lie framed in chunks of memory that are reused. Once the buffer has been used, a log
//! call allocates nothing.

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
