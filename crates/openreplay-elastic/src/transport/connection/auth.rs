use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use crate::transport::error::Error;

/// The credentials for Elasticsearch.
///
/// The `Debug` output shows only the kind of the credentials, never a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Auth {
    kind: Kind,
    header: Option<HeaderValue>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    ApiKey,
    Basic,
    Bearer,
}

impl Auth {
    pub(super) fn api_key(key: &str) -> Result<Self, Error> {
        let key = key.trim();
        let encoded = if key.contains(':') {
            STANDARD.encode(key)
        } else {
            key.to_owned()
        };
        let decoded = STANDARD.decode(&encoded).unwrap_or_default();
        match decoded.iter().position(|byte| *byte == b':') {
            Some(at) if at > 0 && at + 1 < decoded.len() => {
                Self::new(Kind::ApiKey, "ApiKey", &encoded)
            }
            _ => Err(Error::config(
                "the API key is not in its encoded form: expected what Elasticsearch returns as `encoded`, \
                 the base64 text of `id:api_key`",
            )),
        }
    }

    pub(super) fn basic(user: &str, password: &str) -> Result<Self, Error> {
        if user.is_empty() || user.contains(':') {
            return Err(Error::config(
                "the user's name is empty or has a colon: expected one without",
            ));
        }
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        Self::new(Kind::Basic, "Basic", &encoded)
    }

    pub(super) fn bearer(token: &str) -> Result<Self, Error> {
        Self::new(Kind::Bearer, "Bearer", token.trim())
    }

    fn new(kind: Kind, scheme: &str, secret: &str) -> Result<Self, Error> {
        let usable = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
        // the cause is left out, since an error must contain nothing of the secret
        let header = HeaderValue::try_from(format!("{scheme} {secret}")).ok();
        match header {
            Some(mut header) if usable => {
                header.set_sensitive(true);
                Ok(Self {
                    kind,
                    header: Some(header),
                })
            }
            _ => Err(Error::config(format!(
                "the {scheme} credential is empty or has characters that a header cannot carry"
            ))),
        }
    }

    /// Returns whether there are no credentials.
    pub fn is_none(&self) -> bool {
        self.kind == Kind::None
    }

    /// Returns whether the credentials are an API key.
    pub fn is_api_key(&self) -> bool {
        self.kind == Kind::ApiKey
    }

    pub(crate) fn header(&self) -> Option<&HeaderValue> {
        self.header.as_ref()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}
