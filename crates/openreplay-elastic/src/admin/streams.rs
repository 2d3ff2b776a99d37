//! Elasticsearch's wired streams, which own the name `logs` if they are enabled.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;

use crate::admin::api;
use crate::numbered::LOGS;
use crate::transport::client::Client;
use crate::transport::error::Error;

/// Whether wired streams own the name `logs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WiredStreams {
    On,
    Off,
    /// The query needs the cluster privilege `monitor`.
    Unknown,
}

/// Elasticsearch 9.1 and newer have this route; other versions respond that it does not exist.
pub(crate) async fn wired_streams(client: &Client) -> Result<WiredStreams, Error> {
    let status: Result<BTreeMap<String, Stream>, _> = api::get(client, "/_streams/status").await;
    match status {
        Ok(streams) if streams.get(LOGS).is_some_and(|stream| stream.enabled) => {
            Ok(WiredStreams::On)
        }
        Ok(_) => Ok(WiredStreams::Off),
        Err(error) if error.is_forbidden() => Ok(WiredStreams::Unknown),
        Err(error) if error.is_unexpected_response() || is_unknown(&error) => Ok(WiredStreams::Off),
        Err(error) => Err(error),
    }
}

fn is_unknown(error: &Error) -> bool {
    matches!(
        error.status(),
        Some(StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
    )
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    enabled: bool,
}
