//! Errors in Elasticsearch's shape.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::json;

/// An error for a whole request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Elasticsearch's name for it.
    pub(crate) name: &'static str,
    pub(crate) reason: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, name: &'static str, reason: impl Into<String>) -> Self {
        Self {
            status,
            name,
            reason: reason.into(),
        }
    }

    /// Creates the error for a request that is invalid whatever its key allows.
    pub(crate) fn illegal(reason: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "illegal_argument_exception",
            reason,
        )
    }

    pub(crate) fn parsing(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parsing_exception", reason)
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable_shards_exception",
            reason,
        )
    }

    pub(crate) fn no_index(name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "index_not_found_exception",
            no_index(name),
        )
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let cause = json!({"type": self.name, "reason": self.reason});
        let mut error = cause.clone();
        error["root_cause"] = json!([cause]);
        let body = json!({"error": error, "status": self.status.as_u16()});
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = self.status;
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("ApiKey");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

pub(crate) fn no_index(name: &str) -> String {
    let name = shortened(name);
    format!("no such index [{name}]; this store has one index, [logs]")
}

/// The maximum length of an index's name in Elasticsearch.
const LONGEST_NAME: usize = 255;

/// Returns a name, or the beginning of one that Elasticsearch does not permit either: each item of
/// a request repeats it.
pub(crate) fn shortened(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST_NAME {
        return name.into();
    }
    let end = (0..=LONGEST_NAME).rfind(|end| name.is_char_boundary(*end));
    format!("{}…", &name[..end.unwrap_or(0)]).into()
}
