use std::fmt;

use http::StatusCode;

/// The kind of an [`Error`](crate::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option cannot be used as given.
    Config,
    /// No connection could be made, so nothing was sent.
    Connect,
    /// The server could not be trusted, or does not speak TLS. Nothing was sent.
    Tls,
    /// No response came in time. The request may have been executed.
    Timeout,
    /// The connection broke before the response was complete. The request may have been executed.
    Disconnected,
    /// The response was not a valid Elasticsearch response.
    UnexpectedResponse,
    /// The response exceeded this crate's limit of 256 MiB.
    ResponseTooLong,
    /// Elasticsearch responded with an error.
    Status(StatusCode),
    /// A file or a thread of this machine failed.
    Io,
    /// A precondition of the operation does not hold, so it changed nothing.
    Precondition(Precondition),
}

/// Why a precondition of an operation does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precondition {
    /// `logs` is missing.
    NoLogs,
    /// `logs` is an index.
    LogsIsAnIndex,
    /// `logs` is an alias that `setup` did not create.
    LogsIsAnAlias,
    /// `logs` is a data stream.
    LogsIsADataStream,
    /// Wired streams own the name `logs`.
    WiredStreams,
    /// `logs` has no index to write to.
    NoWriteIndex,
    /// `logs` writes to an index that `setup` did not create.
    ForeignWriteIndex,
    /// `setup`'s first index exists, but not behind `logs`.
    FirstIndexInUse,
    /// The name of the write index does not end in a number.
    NoNextIndex,
    /// The next index exists, but `logs` does not write to it.
    NextIndexInUse,
    /// The index to add is missing.
    NoIndex,
    /// The index to add is an alias or a data stream.
    NotAnIndex,
    /// The index to add is closed.
    IndexIsClosed,
    /// `message` of the index to add is not analysed text.
    NotAnalysed,
    /// Records of the index to add have no `message`.
    NoMessage,
    /// Records of the index to add have no `level` that the panel can read.
    NoLevel,
    /// The engine has no API keys.
    NoSecurity,
    /// Another shipper uses the checkpoint.
    CheckpointInUse,
    /// The checkpoint cannot be read.
    CheckpointUnreadable,
}

impl Precondition {
    /// Returns its name for programs, such as `logs-is-an-index`. `check` reports the same fault
    /// under the same name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoLogs => "no-logs",
            Self::LogsIsAnIndex => "logs-is-an-index",
            Self::LogsIsAnAlias => "logs-is-an-alias",
            Self::LogsIsADataStream => "logs-is-a-data-stream",
            Self::WiredStreams => "wired-streams",
            Self::NoWriteIndex => "no-write-index",
            Self::ForeignWriteIndex => "foreign-write-index",
            Self::FirstIndexInUse => "first-index-in-use",
            Self::NoNextIndex => "no-next-index",
            Self::NextIndexInUse => "next-index-in-use",
            Self::NoIndex => "no-index",
            Self::NotAnIndex => "not-an-index",
            Self::IndexIsClosed => "index-is-closed",
            Self::NotAnalysed => "not-analysed",
            Self::NoMessage => "no-message",
            Self::NoLevel => "no-level",
            Self::NoSecurity => "no-security",
            Self::CheckpointInUse => "checkpoint-in-use",
            Self::CheckpointUnreadable => "checkpoint-unreadable",
        }
    }
}

impl fmt::Display for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
