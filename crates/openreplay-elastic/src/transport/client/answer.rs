use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::transport::error::{Error, Kind};

/// What Elasticsearch answered, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The status, the headers and the body.
    pub fn into_parts(self) -> (StatusCode, HeaderMap, Bytes) {
        (self.status, self.headers, self.body)
    }

    /// Whether it says to be Elasticsearch, as OpenReplay's client demands.
    pub fn is_elasticsearch(&self) -> bool {
        self.headers
            .get("x-elastic-product")
            .is_some_and(|product| product == "Elasticsearch")
    }

    /// The answer, unless its status is an error.
    ///
    /// # Errors
    ///
    /// For any status but 2xx: with Elasticsearch's own reason.
    pub fn ok(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let cause = serde_json::from_slice::<ErrorBody>(&self.body).ok();
        let (name, reason) = match cause.map(|body| body.error) {
            Some(Cause::Whole { name, reason }) => (name, reason),
            Some(Cause::Text(reason)) => (None, Some(reason)),
            None => (None, None),
        };
        let advice = match self.status {
            StatusCode::UNAUTHORIZED => ": the credentials are missing, wrong or expired",
            StatusCode::FORBIDDEN => ": the credentials do not allow this",
            _ => "",
        };
        let mut text = format!("Elasticsearch answered {}{advice}", self.status.as_u16());
        if let Some(reason) = reason {
            text.push_str(": ");
            text.extend(reason.chars().take(1_000));
        }
        let status = self.status;
        Err(Error::new(Kind::Status { status, name }, text))
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    ///
    /// Where it is not what `T` expects.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::new(
                Kind::Answer,
                format!(
                    "the answer ({}) is not what Elasticsearch answers: is the address right?",
                    self.status.as_u16()
                ),
            )
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
        name: Option<String>,
        reason: Option<String>,
    },
    Text(String),
}
