use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use crate::transport::store::TAGLINE;
use crate::{Client, Error};

/// Which engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Engine {
    /// Elasticsearch, or OpenSearch.
    pub flavor: Flavor,
    /// Its version as it says, empty where it does not.
    pub version: String,
}

/// The engines that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// Elasticsearch, 8 or newer.
    Elasticsearch,
    /// OpenSearch, which OpenReplay's client refuses, unless something in between adds
    /// Elasticsearch's product header.
    OpenSearch,
    /// `openreplay-elastic serve` or an app with `openreplay-store`: it has `logs` and needs
    /// neither setup nor rotation.
    Store,
}

impl Engine {
    /// Asks for its name and version.
    ///
    /// # Errors
    ///
    /// Where it cannot be asked, or refuses to say.
    pub async fn ask(client: &Client) -> Result<Self, Error> {
        let answer = client.request(Method::GET, "/", Bytes::new()).await?.ok()?;
        let root: Root = answer.json()?;
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
