//! What only a real Elasticsearch and a real OpenSearch can prove.

mod fixture;
