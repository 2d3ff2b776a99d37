//! Prepares and maintains `logs`, and shows what OpenReplay gets from it.
//!
//! - [`setup`] creates `logs` and its index template, [`api_key`] the keys for OpenReplay and for
//!   writers.
//! - [`rotate`] starts a new index and deletes old ones.
//! - [`check`] reports what keeps OpenReplay from showing a session, [`panel`] returns the rows
//!   that OpenReplay shows.

pub mod api_key;
pub mod check;
pub mod panel;
pub mod rotate;
pub mod setup;

pub use self::engine::{Engine, Flavor};
pub use self::logs::{BackingIndex, LogsState};
pub use self::units::{Age, Size};

mod api;
mod engine;
mod layout;
mod logs;
mod streams;
mod units;
