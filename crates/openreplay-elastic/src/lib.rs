#![cfg_attr(docsrs, feature(doc_cfg))]
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
//! - [`ElasticWriter`]: from the log call to Elasticsearch, in the background ([`writer`]).
//! - [`Connection`], [`Client`]: the addresses and credentials of Elasticsearch, and the client that `admin` and `ship` use.
//!
//! # Features
//!
//! An app that writes to Elasticsearch needs none of these; the command `openreplay-elastic` enables both. Both are off by
//! default.
//!
//! - `ship`: the module `ship` delivers the lines of files, over any number of crashes.
//! - `admin`: the module `admin` prepares and maintains `logs`, and shows what OpenReplay gets from it.

pub use self::transport::client::Client;
pub use self::transport::connection::{Auth, Connection, ConnectionBuilder};
pub use self::transport::error::Error;
pub use self::transport::kind::{ErrorKind, Precondition};
#[doc(inline)]
pub use self::writer::{ElasticWriter, ElasticWriterBuilder, Flushed, Guard, LineWriter, Stats};

#[cfg(feature = "admin")]
pub mod admin;
#[cfg(feature = "ship")]
pub mod ship;
pub mod writer;

mod bulk;
#[cfg(any(feature = "admin", feature = "ship"))]
mod envelope;
mod numbered;
mod text;
mod topic;
mod transport;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
