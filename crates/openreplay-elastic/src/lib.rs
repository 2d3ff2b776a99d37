//! Delivers log records to Elasticsearch the way OpenReplay reads them.

pub use self::client::{Answer, Client};
pub use self::connection::{Connection, ConnectionBuilder};
pub use self::error::Error;

mod api;
pub mod api_key;
pub mod check;
pub mod client;
pub mod connection;
mod error;
pub mod panel;
pub mod rotate;
pub mod setup;
