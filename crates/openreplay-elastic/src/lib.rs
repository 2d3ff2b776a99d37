#![cfg_attr(docsrs, feature(doc_cfg))]
//! Delivers log records to Elasticsearch in the form that [OpenReplay](https://openreplay.com)
//! reads, so that they appear next to a session's replay.
//!
//! [`ElasticWriter`] is a writer for the layers of [`tracing-openreplay`]. Log calls only copy a
//! line into a bounded buffer. A separate thread sends the records, retries after failures, and
//! counts records that could not be delivered. For details, see the module [`writer`].
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! openreplay-elastic = "0.1"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "signal"] }
//! tower-openreplay = "0.1"
//! tracing = "0.1"
//! tracing-openreplay = "0.1"
//! ```
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use openreplay_elastic::ElasticWriter;
//! use tower_openreplay::{RequestLogLayer, SessionLayer};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let key = std::env::var("ELASTICSEARCH_API_KEY")?;
//!     let (writer, _guard) = ElasticWriter::builder("https://elastic:9200")
//!         .api_key(key)
//!         .build()?;
//!     tracing_openreplay::json().with_writer(writer).init();
//!     let app = Router::new()
//!         .route("/api/price", get(price))
//!         .layer(RequestLogLayer::new())
//!         .layer(SessionLayer::new());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).with_graceful_shutdown(stop()).await?;
//!     Ok(()) // `_guard` sends the remaining records, for at most 5 seconds
//! }
//!
//! async fn price() -> &'static str {
//!     tracing::info!(order = 17, "price requested");
//!     "12.50"
//! }
//!
//! async fn stop() {
//!     let _ = tokio::signal::ctrl_c().await;
//! }
//! ```
//!
//! The alias `logs` must exist. The command `openreplay-elastic setup`, from the crate
//! [`openreplay-elastic-cli`], creates it, and `openreplay-elastic api-key --writer` creates the
//! key.
//!
//! # Features
//!
//! An app that writes to Elasticsearch only needs the default features.
//!
//! - `ring` (default): uses ring for TLS, unless the process has installed another provider with
//!   `rustls::crypto::CryptoProvider::install_default`.
//! - `ship`: enables the module `ship`, which delivers the lines of files, even after a crash.
//! - `admin`: enables the module `admin`, which prepares and maintains `logs`, and shows what
//!   OpenReplay reads from it.
//!
//! # See also
//!
//! - [`openreplay-elastic-cli`]: the command `openreplay-elastic`, which enables all features
//! - [`tracing-openreplay`]: the layers that write the records
//! - [`tower-openreplay`](https://docs.rs/tower-openreplay): the layers that set the session of
//!   each request and log it
//! - [`openreplay-store`](https://docs.rs/openreplay-store): keeps the records on one machine,
//!   without Elasticsearch
//! - `docs/elasticsearch.md` in the repository: how to connect Elasticsearch and OpenReplay
//!
//! [`openreplay-elastic-cli`]: https://docs.rs/crate/openreplay-elastic-cli
//! [`tracing-openreplay`]: https://docs.rs/tracing-openreplay

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
mod document;
#[cfg(any(feature = "admin", feature = "ship"))]
// without `ship`, only a file's lines are read, in whatever format they have
#[cfg_attr(
    not(feature = "ship"),
    allow(dead_code, unreachable_pub, unused_imports)
)]
mod envelope;
mod numbered;
#[cfg(any(feature = "admin", feature = "ship"))]
#[cfg_attr(not(feature = "admin"), allow(dead_code))]
mod shallow;
mod text;
mod topic;
mod transport;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
