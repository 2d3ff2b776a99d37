//! The store behind HTTP, in the shape of the few routes of Elasticsearch that OpenReplay and
//! shippers need.

mod body;
mod bulk;
mod error;
mod local;
mod search;
mod service;
mod source;

pub use self::service::{ResponseFuture, StoreService};

/// The name that OpenReplay searches.
const ALIAS: &str = "logs";
/// The only index behind it.
const INDEX: &str = "logs-000001";

fn is_ours(index: &str) -> bool {
    matches!(index, ALIAS | INDEX)
}
