use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;

/// A complete response of Elasticsearch.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// Whether the node's address has a path, under which Elasticsearch is served.
    has_prefix: bool,
}

impl Response {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
            has_prefix: false,
        }
    }

    pub(super) fn behind_prefix(mut self, has_prefix: bool) -> Self {
        self.has_prefix = has_prefix;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns whether the response has the header that OpenReplay's client requires.
    #[cfg(any(test, feature = "admin"))]
    pub(crate) fn is_elasticsearch(&self) -> bool {
        self.headers
            .get("x-elastic-product")
            .is_some_and(|product| product == "Elasticsearch")
    }

    /// Returns the response, unless its status is an error.
    pub(crate) fn ok(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let cause = serde_json::from_slice::<ErrorBody>(&self.body).ok();
        let (error_type, reason) = match cause.map(|body| body.error) {
            Some(Cause::Whole { error_type, reason }) => (error_type, reason),
            Some(Cause::Text(reason)) => (None, Some(reason)),
            None => (None, None),
        };
        let remedy = self.remedy(reason.as_deref());
        let error = Error::response(self.status, error_type, reason);
        Err(match remedy {
            Some(remedy) => error.with_remedy(remedy),
            None => error,
        })
    }

    /// Returns what to do if the request went to the wrong address.
    fn remedy(&self, reason: Option<&str>) -> Option<&'static str> {
        let Some(reason) = reason else {
            return match self.status.as_u16() {
                400 if self.wants_https() => Some("use https in the address"),
                401 | 403 => None,
                429 | 500.. => Some("check that the proxy in front reaches Elasticsearch"),
                _ => Some(
                    "check the address: its scheme, host, port and path must be Elasticsearch's own, or those of a proxy that forwards \
                     all requests",
                ),
            };
        };
        // Elasticsearch's words, and those of a store
        let has_no_handler =
            reason.starts_with("no handler found") || reason.contains("has no handler for uri");
        let is_elsewhere = has_no_handler && self.has_prefix;
        is_elsewhere.then_some(
            "check the path in the address: Elasticsearch receives requests with a wrong path",
        )
    }

    /// Whether this is the response of nginx or a Go server to plain HTTP on its https port.
    fn wants_https(&self) -> bool {
        let has = |text: &[u8]| memchr::memmem::find(&self.body, text).is_some();
        has(b"plain HTTP request was sent to HTTPS port") || has(b"HTTP request to an HTTPS server")
    }

    /// Reads the body as JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let status = self.status.as_u16();
            let text = format!("the response ({status}) is not a valid Elasticsearch response");
            Error::new(ErrorKind::UnexpectedResponse, text)
                .with_remedy("check the address")
                .with_source(error)
        })
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Cause,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cause {
    Whole {
        #[serde(rename = "type")]
        error_type: Option<String>,
        reason: Option<String>,
    },
    Text(String),
}
