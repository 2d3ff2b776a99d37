use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

use openreplay_record::causes::WithCauses;

/// The error returned if the store cannot be opened, written to or read.
///
/// The message names the file or folder, and what to do. The cause, if any, is returned by
/// [`source`](StdError::source).
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: Kind,
    text: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Another process has the store open.
    Locked,
    /// The disk, or the store's own limit, is full.
    Full,
    /// A file of the store is damaged.
    Damaged,
    /// The file system failed in another way.
    Io,
    /// The store has been closed.
    Closed,
}

impl Error {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                text: text.into(),
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

    pub(crate) fn io(path: &Path, what: &str, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Full,
            _ => Kind::Io,
        };
        Self::new(kind, format!("{} cannot be {what}", path.display())).with_source(error)
    }

    pub(crate) fn closed() -> Self {
        Self::new(Kind::Closed, "the store is closed")
    }

    /// Creates an error from SQLite's error about a file.
    pub(crate) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase};
        let path = path.display();
        let (kind, text) = match error.sqlite_error_code() {
            Some(DiskFull) => (Kind::Full, format!("no space is left for {path}")),
            Some(DatabaseCorrupt | NotADatabase) => (Kind::Damaged, format!("{path} is damaged")),
            _ => (Kind::Io, format!("{path} cannot be used")),
        };
        Self::new(kind, text).with_source(error)
    }

    /// Returns the message and those of its causes.
    pub(crate) fn with_causes(&self) -> String {
        WithCauses(self).to_string()
    }

    /// Returns whether another process, which the message names, has the store open.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.inner.kind == Kind::Locked
    }

    /// Returns whether the disk is full, or [`max_bytes`](crate::StoreBuilder::max_bytes) is
    /// reached.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.inner.kind == Kind::Full
    }

    /// Returns whether a file of the store is damaged.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.inner.kind == Kind::Damaged
    }

    /// Returns whether the store was closed before the operation completed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.kind == Kind::Closed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.text)
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
        self.inner.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_prints_the_message_and_its_causes() {
        let cause = io::Error::other("no medium");
        let error = Error::io(Path::new("records"), "read", cause);
        assert_eq!(format!("{error:?}"), "records cannot be read: no medium");
    }
}
