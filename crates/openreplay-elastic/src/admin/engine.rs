use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use crate::transport::client::Client;
use crate::transport::error::Error;
use crate::transport::store::TAGLINE;

/// An engine and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Engine {
    /// Elasticsearch, OpenSearch or the embedded store.
    pub flavor: Flavor,
    /// Its version; empty if it does not report one.
    pub version: String,
}

/// The engines that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flavor {
    /// Elasticsearch, 8 or newer.
    Elasticsearch,
    /// OpenSearch, which OpenReplay's client rejects, unless a proxy adds Elasticsearch's product
    /// header.
    OpenSearch,
    /// `openreplay-elastic serve` or an app with `openreplay-store`: it has `logs` and needs
    /// neither setup nor rotation.
    Store,
}

impl Engine {
    /// Requests the engine's name and version.
    ///
    /// # Errors
    ///
    /// If the request fails or is rejected.
    pub async fn detect(client: &Client) -> Result<Self, Error> {
        let response = client.request(Method::GET, "/", Bytes::new()).await?;
        let root: Root = response.ok()?.json()?;
        let flavor = match root.version.distribution.as_deref() {
            Some("opensearch") => Flavor::OpenSearch,
            _ if root.tagline.starts_with(TAGLINE) => Flavor::Store,
            _ => Flavor::Elasticsearch,
        };
        Ok(Self {
            flavor,
            version: root.version.number,
        })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavor {
            Flavor::Elasticsearch => "Elasticsearch",
            Flavor::OpenSearch => "OpenSearch",
            Flavor::Store => return f.write_str("openreplay-store"),
        };
        write!(f, "{name} {}", self.version)
    }
}

#[derive(Deserialize)]
struct Root {
    version: Version,
    #[serde(default)]
    tagline: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    number: String,
    distribution: Option<String>,
}
