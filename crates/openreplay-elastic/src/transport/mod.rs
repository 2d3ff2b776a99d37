//! The way to Elasticsearch: its addresses and credentials, one HTTP client, and the errors of
//! both.

pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod kind;
pub(crate) mod store;
