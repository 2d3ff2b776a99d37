use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;
use openreplay_record::causes::WithCauses;

use super::kind::{ErrorKind, Precondition};

/// The error of an operation on Elasticsearch.
///
/// The text describes what happened and, if known, what to do. It never contains a secret. Programs
/// use [`kind`](Self::kind). [`source`](StdError::source) returns the cause, if there is one.
///
/// ```
/// use openreplay_elastic::{Connection, ErrorKind};
///
/// let error = Connection::builder("elastic:9200").build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    text: String,
    remedy: Option<Cow<'static, str>>,
    error_type: Option<String>,
    reason: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                text: text.into(),
                remedy: None,
                error_type: None,
                reason: None,
                source: None,
            }),
        }
    }

    pub(crate) fn config(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, text)
    }

    #[cfg(any(feature = "admin", feature = "ship"))]
    pub(crate) fn unmet(precondition: Precondition, text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Precondition(precondition), text)
    }

    /// Creates the error of an error response. `error_type` and `reason` are Elasticsearch's own.
    pub(crate) fn response(
        status: StatusCode,
        error_type: Option<String>,
        reason: Option<String>,
    ) -> Self {
        // A proxy does not name its errors.
        let is_named = error_type.is_some() || reason.is_some();
        let server = if is_named {
            "Elasticsearch"
        } else {
            "the server"
        };
        let advice = match status {
            StatusCode::UNAUTHORIZED => ": the credentials are missing, wrong or expired",
            StatusCode::FORBIDDEN => ": the credentials do not allow this",
            _ => "",
        };
        let mut text = format!("{server} responded with {}{advice}", status.as_u16());
        if let Some(reason) = &reason {
            text.push_str(": ");
            text.extend(reason.chars().take(1_000));
        }
        let mut error = Self::new(ErrorKind::Status(status), text);
        error.inner.error_type = error_type;
        error.inner.reason = reason;
        error
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    pub(crate) fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.inner.remedy = Some(remedy.into());
        self
    }

    /// Prefixes the text with what the error means for the operation.
    #[cfg(feature = "admin")]
    pub(crate) fn explained(mut self, text: &str) -> Self {
        self.inner.text = format!("{text} ({})", self.inner.text);
        self
    }

    /// Returns what kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns what to do about the error, in one line, if that is known. The text ends with it.
    pub fn remedy(&self) -> Option<&str> {
        self.inner.remedy.as_deref()
    }

    /// Returns the text without the remedy.
    #[cfg(feature = "admin")]
    pub(crate) fn text(&self) -> &str {
        &self.inner.text
    }

    /// Returns whether an option cannot be used as given.
    pub fn is_config(&self) -> bool {
        self.kind() == ErrorKind::Config
    }

    /// Returns whether no connection could be made, so nothing was sent.
    pub fn is_connect(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connect | ErrorKind::Tls)
    }

    /// Returns whether the server could not be trusted, or does not speak TLS.
    pub fn is_tls(&self) -> bool {
        self.kind() == ErrorKind::Tls
    }

    /// Returns whether no response came in time. The request may have been executed.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Returns whether the connection broke before the response was complete. The request may have
    /// been executed.
    pub fn is_disconnected(&self) -> bool {
        self.kind() == ErrorKind::Disconnected
    }

    /// Returns whether the response was not a valid Elasticsearch response.
    pub fn is_unexpected_response(&self) -> bool {
        self.kind() == ErrorKind::UnexpectedResponse
    }

    /// Returns whether the response exceeded this crate's limit of 256 MiB.
    pub fn is_too_long(&self) -> bool {
        self.kind() == ErrorKind::ResponseTooLong
    }

    /// Returns whether a file or a thread of this machine failed.
    pub fn is_io(&self) -> bool {
        self.kind() == ErrorKind::Io
    }

    /// Returns whether a precondition of the operation does not hold, so it changed nothing.
    pub fn is_precondition(&self) -> bool {
        self.precondition().is_some()
    }

    /// Returns which precondition of the operation does not hold.
    pub fn precondition(&self) -> Option<Precondition> {
        match self.kind() {
            ErrorKind::Precondition(precondition) => Some(precondition),
            _ => None,
        }
    }

    /// Returns whether the credentials are missing, wrong or expired (401).
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Returns whether the credentials are valid, but do not allow this (403).
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    /// Returns whether the requested resource is missing (404).
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Returns the status of an error response.
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind() {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Returns Elasticsearch's own name for its error, such as `index_not_found_exception`.
    pub fn error_type(&self) -> Option<&str> {
        self.inner.error_type.as_deref()
    }

    /// Returns Elasticsearch's own explanation of its error, such as `no such index [logs]`. It is
    /// unescaped, so print the error itself on a terminal.
    pub fn reason(&self) -> Option<&str> {
        self.inner.reason.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.text)?;
        match self.remedy() {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// Formats the message and the messages of the causes: if `main` returns an error, Rust prints its
/// `Debug` output.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&WithCauses(self), f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.inner.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_prints_the_message_and_its_causes() {
        let error = Error::config("the certificate cannot be read").with_source("no such file");
        assert_eq!(
            format!("{error:?}"),
            "the certificate cannot be read: no such file"
        );
    }
}
