//! What is sent to `_bulk` and what comes back: framing, `_id`s, compression, requests and
//! responses. No decision is made here.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::RETRY_AFTER;

pub(crate) use self::failure::{Executed, FailureKind};
#[cfg(feature = "ship")]
pub(crate) use self::frame::Action;
#[cfg(any(test, feature = "ship"))]
pub(crate) use self::frame::LENGTH;
pub(crate) use self::frame::{document, id as record_id, records, with_document};
pub(crate) use self::http_wire::HttpWire;
pub(crate) use self::id::Ids;
#[cfg(feature = "ship")]
pub(crate) use self::id::{change_digits, write_digits};
#[cfg(test)]
pub(crate) use self::response::ItemError;
pub(crate) use self::response::{Item, ItemKind, all_stored, read};
pub(crate) use self::target::{Presence, QueryError, Target};

mod failure;
mod frame;
mod gzip;
mod http_wire;
mod id;
mod response;
mod target;

/// The server, as a delivery sees it.
pub(crate) trait Wire {
    /// How long a request may take, its response included.
    fn timeout(&self) -> Duration;

    /// Sends framed records to an index, or to the alias.
    async fn send(&mut self, index: Option<&str>, body: Vec<Bytes>) -> Response;

    /// Returns the index that the alias leads new records to.
    async fn write_index(&self) -> Result<String, QueryError>;

    /// Whether there is such an index.
    async fn has_index(&self, index: &str) -> Result<bool, QueryError>;

    /// Whether an index has a record of this `_id`.
    async fn holds(&self, index: &str, id: &str) -> Result<Presence, QueryError>;
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Response {
    /// Status 200.
    Body(Bytes),
    Failed {
        kind: FailureKind,
        retry_after: Option<Duration>,
        why: String,
    },
    None {
        kind: NoResponse,
        why: String,
    },
}

/// Why no response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// There was no connection, so nothing was sent.
    NotSent,
    /// The connection broke. The request may have arrived.
    Lost,
    /// The request took too long. It may have arrived.
    TimedOut,
}

/// The longest pause that the server may request.
const LONGEST: Duration = Duration::from_secs(300);

/// Reads how long to wait. Seconds only: Elasticsearch and the usual proxies send no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = value.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn reads_how_long_to_wait() {
        for (value, seconds) in [
            ("3", Some(3)),
            (" 0 ", Some(0)),
            ("999999", Some(300)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(&headers), expected, "{value}");
        }
    }
}
