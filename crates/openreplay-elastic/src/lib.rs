//! Delivers log records to Elasticsearch the way OpenReplay reads them.

pub use self::client::{Answer, Client};
pub use self::connection::{Connection, ConnectionBuilder};
pub use self::error::Error;
pub use self::writer::{ElasticWriter, ElasticWriterBuilder, Flushed, Guard, Line, Stats};

pub mod api_key;
pub mod check;
pub mod client;
pub mod connection;
pub mod panel;
pub mod rotate;
pub mod setup;
pub mod ship;
pub mod writer;

mod api;
mod bulk;
mod diagnostics;
mod error;
mod retry;
mod text;
