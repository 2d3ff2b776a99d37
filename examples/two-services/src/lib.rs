//! What the three services share.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "not published"
)]

mod trace;

use std::{env, io};

use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::prelude::*;

/// What is ordered.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Item {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// What was reserved.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Reserved {
    /// What it costs, from the service `prices`.
    #[prost(string, tag = "1")]
    pub price: String,
}

#[allow(
    missing_docs,
    clippy::excessive_nesting,
    clippy::too_many_lines,
    reason = "generated"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/shop.Stock.rs"));
}

pub use self::{
    generated::{stock_client, stock_server},
    trace::{FromHeaders, from_headers, with_trace},
};

/// Writes the records of this process to stdout, under the name of its service, and its spans to
/// stderr.
pub fn log_as(service: &'static str) {
    let records = tracing_openreplay::json()
        .with_service_name(service)
        // of your OpenReplay, with the project's id
        .with_replay_url("https://openreplay.example.com/1234");
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(tracing_opentelemetry::layer().with_tracer(trace::tracer(service)))
        .with(records)
        .init();
}

/// Listens on `LISTEN_ADDR`, or else on the service's own address, and prints the address on
/// stderr.
///
/// # Errors
///
/// If the address cannot be had.
pub async fn listen(default: &str) -> io::Result<TcpListener> {
    let address = env::var("LISTEN_ADDR").unwrap_or_else(|_| default.to_owned());
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
