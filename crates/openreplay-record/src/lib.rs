#![cfg_attr(docsrs, feature(doc_cfg))]
//! What a log record must contain for OpenReplay to find it and to show it next to a session's
//! replay.
//!
//! OpenReplay searches the field `message` for the [phrase] `openReplaySession.id=<id>`, shows the
//! record's [level](Level), and places it by its time. This crate is the only place that knows
//! these rules. `tracing-openreplay` writes records that follow them, and `openreplay-elastic`
//! delivers and checks them.
//!
//! ```toml
//! [dependencies]
//! openreplay-record = "0.1"
//! openreplay-session = "0.1"
//! ```
//!
//! ```
//! use openreplay_record::{Level, phrase};
//! use openreplay_session::SessionId;
//!
//! let id = SessionId::from(42);
//! let message = format!("{}low on stock", phrase::prefix(&id));
//! assert_eq!(message, "[openReplaySession.id=42] low on stock");
//! assert_eq!(Level::Warning.as_str(), "warning");
//! ```
//!
//! # Features
//!
//! - `search`: [`session_of`], [`sessions_of`] and [`names_session`], the sessions that a message
//!   names
//! - `json`: [`Record`], a whole record as JSON, what reads a time, and [`panel`]

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

pub use self::contained::{Contained, PANICKED};
pub use self::level::{Level, LevelError};
pub use self::object::is_object;
#[cfg(feature = "json")]
pub use self::record::Record;
#[cfg(feature = "search")]
pub use self::search::{names_session, session_of, sessions_of};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
