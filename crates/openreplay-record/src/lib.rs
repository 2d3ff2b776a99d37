#![cfg_attr(docsrs, feature(doc_cfg))]
//! What a log record must contain for [OpenReplay](https://openreplay.com) to find it and to show
//! it next to a session's replay.
//!
//! OpenReplay searches the field `message` for the [phrase] `openReplaySession.id=<id>`. It shows
//! the message with its [level](Level), and uses the record's [time] to place the row in the
//! replay. Most programs do not need this crate: [`tracing-openreplay`] writes such records, and
//! [`openreplay-elastic`] delivers and checks them. Use it directly if you write or read records
//! yourself.
//!
//! ```toml
//! [dependencies]
//! openreplay-record = { version = "0.1", features = ["json"] }
//! openreplay-session = "0.1"
//! ```
//!
//! ```
//! # #[cfg(feature = "json")]
//! use openreplay_record::{Level, Record, phrase};
//! use openreplay_session::SessionId;
//!
//! # #[cfg(not(feature = "json"))]
//! # fn main() {}
//! # #[cfg(feature = "json")]
//! fn main() {
//!     let id = SessionId::from(42);
//!     let mut record = Record::now(Level::Warning, phrase::prefix(&id) + "low on stock");
//!     record.session_id = Some(id.as_str().into());
//!     println!("{}", record.to_json());
//!     # assert!(record.to_json().contains(r#""message":"[openReplaySession.id=42] low on stock""#));
//! }
//! ```
//!
//! This prints, on one line:
//!
//! ```json
//! {"@timestamp":"2026-07-01T12:00:00.250000Z","utc_time":"2026-07-01T12:00:00.250000Z",
//!  "level":"warning","message":"[openReplaySession.id=42] low on stock","openReplaySession.id":"42"}
//! ```
//!
//! # Features
//!
//! All features are off by default.
//!
//! - `json`: [`Record`] writes a whole record as JSON, [`time::parse`] reads a time, and [`panel`]
//!   tells how OpenReplay's panel reads a record.
//! - `search`: [`session_of`], [`sessions_of`] and [`names_session`] find the sessions in a
//!   message.
//!
//! # See also
//!
//! - [`tracing-openreplay`]: writes records with `tracing`
//! - [`openreplay-elastic`]: sends records to Elasticsearch
//! - [`openreplay-store`](https://docs.rs/openreplay-store): keeps records on one machine
//! - `docs/shippers.md` in the repository: how other shippers deliver records
//!
//! [`tracing-openreplay`]: https://docs.rs/tracing-openreplay
//! [`openreplay-elastic`]: https://docs.rs/openreplay-elastic

pub mod causes;
mod contained;
pub mod field;
mod level;
mod object;
#[cfg(feature = "json")]
pub mod panel;
pub mod phrase;
#[cfg(feature = "json")]
mod record;
#[cfg(feature = "search")]
mod search;
pub mod terminal;
pub mod time;
#[cfg(feature = "search")]
mod words;

pub use self::contained::{Contained, FAILED, PANICKED};
pub use self::level::{Level, LevelError};
pub use self::object::is_object;
#[cfg(feature = "json")]
pub use self::record::Record;
#[cfg(feature = "search")]
pub use self::search::{names_session, session_of, sessions_of};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
