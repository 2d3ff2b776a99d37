#![cfg_attr(docsrs, feature(doc_cfg))]
//! Delivers log records to Elasticsearch in the form that OpenReplay reads.
//!
//! ```toml
//! [dependencies]
//! openreplay-elastic = "0.1"
//! tracing-openreplay = "0.1"
//! ```
//!
//! ```no_run
//! use openreplay_elastic::ElasticWriter;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let key = std::env::var("ELASTICSEARCH_API_KEY")?;
//!     let (writer, _guard) = ElasticWriter::builder("https://elastic:9200").api_key(key).build()?;
//!     tracing_openreplay::json().with_writer(writer).init();
//!     // the app; when `main` returns, `_guard` sends the remaining records
//!     Ok(())
//! }
//! ```
//!
//! - [`ElasticWriter`]: from the log call to Elasticsearch, in the background ([`writer`]).
//! - [`Connection`], [`Client`]: the addresses and credentials of Elasticsearch, and the client
//!   that `admin` and `ship` use.
//!
//! # Features
//!
//! An app that writes to Elasticsearch needs `ring` only, which is on by default. The command
//! `openreplay-elastic`, from the crate
//! [`openreplay-elastic-cli`](https://docs.rs/crate/openreplay-elastic-cli), enables all.
//!
//! - `ring`: the TLS provider, unless the process has installed another one
//!   (`rustls::crypto::CryptoProvider::install_default`).
//! - `ship`: the module `ship` delivers the lines of files, over any number of crashes.
//! - `admin`: the module `admin` prepares and maintains `logs`, and shows what OpenReplay gets from
//!   it.

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
// without `ship`, only a file's lines are read, in whatever format they have
#[cfg_attr(
    not(feature = "ship"),
    allow(dead_code, unreachable_pub, unused_imports)
)]
mod envelope;
mod numbered;
mod text;
mod topic;
mod transport;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
