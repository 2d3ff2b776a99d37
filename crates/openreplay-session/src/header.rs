use http::HeaderValue;

use crate::{SessionId, SessionIdError};

impl TryFrom<&HeaderValue> for SessionId {
    type Error = SessionIdError;

    fn try_from(value: &HeaderValue) -> Result<Self, Self::Error> {
        Self::try_from(value.as_bytes())
    }
}

impl From<SessionId> for HeaderValue {
    fn from(id: SessionId) -> Self {
        HeaderValue::from_str(id.as_str()).expect("every byte of an id is legal in a header value")
    }
}
