//! Requests to Elasticsearch: its addresses and credentials, the HTTP client, and their errors.

pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod kind;
pub(crate) mod store;
