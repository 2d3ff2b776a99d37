//! What the integration tests share.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "not published"
)]

pub mod browser;
pub mod command;
pub mod cri;
pub mod daemon;
#[cfg(doctest)]
mod docs;
pub mod engine;
pub mod forward_proxy;
pub mod guide;
pub mod nginx;
pub mod port;
pub mod process;
pub mod proxy;
pub mod serve;
pub mod ship;
pub mod tap;
pub mod terminal;
pub mod throttle;
pub mod tls;

pub use command::{CommandOutput, openreplay_elastic, query_as_openreplay};
pub use engine::{Elasticsearch, Elasticsearch8, Engine, OpenSearch};
pub use proxy::{Cut, Proxy};
pub use serve::Serve;
pub use tap::Tap;
pub use terminal::Terminal;
pub use test_kit::{Fault, FixedResponse, FixedServer, Lines, StandIn, StoredIn, json};
pub use tls::TlsProxy;
