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
//! - [`connection`], [`client`]: where Elasticsearch is, the credentials, and the requests.
//!
//! # Features
//!
//! An app that writes to Elasticsearch needs none of these; the command `openreplay-elastic` has them on. Both are off by default.
//!
//! - `ship`: the module `ship` delivers the lines of files, over any number of crashes.
//! - `admin`: the modules `setup`, `api_key` and `rotate` prepare and maintain `logs`, and `check` and `panel` show what OpenReplay
//!   gets from it.

pub use self::client::{Answer, Client};
pub use self::connection::{Connection, ConnectionBuilder};
pub use self::error::Error;
pub use self::writer::{ElasticWriter, ElasticWriterBuilder, Flushed, Guard, LineWriter, Stats};

#[cfg(feature = "admin")]
pub mod api_key;
#[cfg(feature = "admin")]
pub mod check;
pub mod client;
pub mod connection;
#[cfg(feature = "admin")]
pub mod panel;
#[cfg(feature = "admin")]
pub mod rotate;
#[cfg(feature = "admin")]
pub mod setup;
#[cfg(feature = "ship")]
pub mod ship;
pub mod writer;

#[cfg(feature = "admin")]
mod api;
mod bulk;
mod error;
mod numbered;
#[cfg(feature = "admin")]
mod streams;
mod text;
mod topic;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
