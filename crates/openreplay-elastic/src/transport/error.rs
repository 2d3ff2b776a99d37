use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

/// What went wrong between this crate and Elasticsearch.
///
/// The text says what was found and what would have been right, and never holds a secret; the cause, where there is
/// one, is in [`source`](StdError::source).
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: Kind,
    text: String,
    reason: Option<&'static str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An option cannot be used as given.
    Config,
    /// No connection was made, so nothing was sent.
    Connect,
    /// A connection was made, but not a trusted one: nothing was sent.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke between request and answer.
    Broken,
    /// An answer that is none of Elasticsearch's.
    Answer,
    /// An answer that is longer than what is read of one.
    TooLong,
    /// Elasticsearch answered with an error.
    Status {
        status: StatusCode,
        name: Option<String>,
    },
    /// Something of this machine: a file, a thread.
    Io,
    /// What was found there is not what the operation can work with.
    State,
}

impl Error {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                text: text.into(),
                reason: None,
                source: None,
            }),
        }
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    #[cfg(any(feature = "admin", feature = "ship"))]
    pub(crate) fn with_reason(mut self, reason: &'static str) -> Self {
        self.inner.reason = Some(reason);
        self
    }

    pub(crate) fn config(text: impl Into<String>) -> Self {
        Self::new(Kind::Config, text)
    }

    #[cfg(feature = "admin")]
    /// Says what it means in this place, before what was said.
    pub(crate) fn explained(mut self, text: &str) -> Self {
        self.inner.text = format!("{text} ({})", self.inner.text);
        self
    }

    /// Says at which address it happened, for the kinds where that is the news, and what to look at.
    pub(crate) fn at(mut self, address: &str) -> Self {
        self.inner.text = match self.inner.kind {
            Kind::Connect => {
                format!("{address} cannot be reached: is it running, and is the address right?")
            }
            Kind::Tls => format!(
                "{address} cannot be trusted, or does not speak TLS: give the certificate of the authority that \
                 signed its own, the name that it was made for, or an http address"
            ),
            Kind::Timeout => format!(
                "{}: is it overloaded, or does a firewall or a proxy in between hold back what is sent?",
                self.inner.text
            ),
            Kind::Broken => format!(
                "{address} broke the connection before its answer was whole: was it restarted, or is there a proxy in between \
                 whose limits are shorter?"
            ),
            _ => return self,
        };
        self
    }

    /// Whether an option cannot be used as given.
    pub fn is_config(&self) -> bool {
        self.inner.kind == Kind::Config
    }

    /// Whether no connection could be made; nothing was sent then.
    pub fn is_connect(&self) -> bool {
        matches!(self.inner.kind, Kind::Connect | Kind::Tls)
    }

    /// Whether the other side could not be trusted, or does not speak TLS.
    pub fn is_tls(&self) -> bool {
        self.inner.kind == Kind::Tls
    }

    /// Whether no answer came in time. What was sent may have been done.
    pub fn is_timeout(&self) -> bool {
        self.inner.kind == Kind::Timeout
    }

    /// Whether the connection broke before the answer was whole. What was sent may have been done.
    pub fn is_disconnected(&self) -> bool {
        self.inner.kind == Kind::Broken
    }

    /// Whether the answer was none that Elasticsearch gives.
    pub fn is_unexpected_response(&self) -> bool {
        self.inner.kind == Kind::Answer
    }

    /// Whether the answer was longer than what is read of one: 256 MiB.
    pub fn is_too_long(&self) -> bool {
        self.inner.kind == Kind::TooLong
    }

    /// Whether a file or a thread of this machine was the reason.
    pub fn is_io(&self) -> bool {
        self.inner.kind == Kind::Io
    }

    /// Whether what was found there is not what the operation can work with; nothing was changed then.
    pub fn is_precondition(&self) -> bool {
        self.inner.kind == Kind::State
    }

    /// What was found there, as a word for programs: one of [`Fault`](crate::admin::check::Fault)'s names, or `logs-is-an-index`,
    /// `logs-is-an-alias`, `logs-is-a-data-stream`, `no-write-index`, `foreign-write-index`, `first-index-in-use`, `no-index`,
    /// `not-an-index`, `index-is-closed`, `no-next-index`, `next-index-in-use`, `no-security`, `checkpoint-in-use`,
    /// `checkpoint-unreadable`. `None` if [`is_precondition`](Self::is_precondition) is false.
    pub fn reason(&self) -> Option<&'static str> {
        self.inner.reason
    }

    /// Whether the credentials are missing, wrong or expired (401).
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// Whether the credentials are good, but do not allow this (403).
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    /// Whether what was asked for is not there (404).
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// The status of an answer that was an error.
    pub fn status(&self) -> Option<StatusCode> {
        match self.inner.kind {
            Kind::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Elasticsearch's own name for its error, such as `index_not_found_exception`.
    pub fn error_type(&self) -> Option<&str> {
        match &self.inner.kind {
            Kind::Status { name, .. } => name.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &self.inner.kind)
            .field("text", &self.inner.text);
        if let Some(source) = &self.inner.source {
            debug.field("source", source);
        }
        debug.finish()
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

/// Returns the text of an error with those of its causes.
pub(crate) fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
