//! Delivers log records to Elasticsearch the way OpenReplay reads them.
//!
//! ```no_run
//! use openreplay_elastic::ElasticWriter;
//! use tracing_subscriber::prelude::*;
//!
//! # fn main() -> Result<(), openreplay_elastic::Error> {
//! # let key = "";
//! let (writer, _guard) = ElasticWriter::builder("https://elastic:9200").api_key(key).build()?;
//! tracing_subscriber::registry()
//!     .with(tracing_openreplay::json().with_writer(writer))
//!     .init();
//! # Ok(())
//! # }
//! ```
//!
//! - [`writer`]: from the log call to Elasticsearch, in the background.
//! - [`ship`]: the same from files, over any number of crashes.
//! - [`setup`], [`api_key`], [`rotate`]: the far end made ready, and kept so.
//! - [`check`], [`panel`]: what OpenReplay gets when it asks, and why not.
//! - [`connection`], [`client`]: where Elasticsearch is, who is asking, and how.

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
mod error;
mod numbered;
mod text;
mod topic;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
