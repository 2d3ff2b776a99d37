//! What OpenReplay's panel shows: how it requests a session's records, and how it reads the
//! response.
//!
//! Of each record, the members that the panel reads are kept in memory. A response can take 256
//! MiB; on top of it, a record takes what its message takes, and at most 0.5 MiB for lists and
//! objects in place of texts.
//!
//! ```
//! use openreplay_elastic::admin::panel::{self, Level};
//! use serde_json::json;
//!
//! let rows = panel::rows(&[json!({
//!     "@timestamp": "2026-07-01T12:00:00.000001Z",
//!     "level": "warning",
//!     "message": "[openReplaySession.id=4950498349085463837] low on stock",
//! })])?;
//! assert_eq!(rows[0].level, Level::Warning);
//! # Ok::<(), openreplay_elastic::admin::panel::Unreadable>(())
//! ```

pub use self::file::{FileRecords, earliest_first, read_file};
pub use self::order::{Order, measure_order};
pub use self::rows::{Row, Unreadable, rows};
pub use self::search::{Hit, SearchResult, Shards, probe, session};
pub use openreplay_record::Level;

mod file;
mod order;
mod rows;
pub(crate) mod search;
#[cfg(test)]
mod tests;
