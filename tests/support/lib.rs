//! What the integration tests share.

pub mod engine;

pub use engine::{Elasticsearch, Engine, OpenSearch};
