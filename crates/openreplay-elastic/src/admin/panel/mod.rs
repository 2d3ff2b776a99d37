//! What the panel beside a replay shows: how OpenReplay asks for a session's records, and how it reads the answer.
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

pub use self::ask::{Hit, SearchResult, probe, session};
pub use self::file::{FileRecords, earliest_first, read_file};
pub use self::order::{Order, measure_order};
pub use self::rows::{Row, Unreadable, rows};
pub use openreplay_record::Level;

pub(crate) mod ask;
mod file;
mod order;
mod rows;
mod shallow;
#[cfg(test)]
mod tests;
