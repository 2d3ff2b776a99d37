use std::fmt;

use http::StatusCode;
use openreplay_record::panel::RecordFault;

use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;

/// One problem, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of problem.
    pub fault: Fault,
    /// What was found, in one line. It may contain text of the server: make it safe before it
    /// reaches a terminal.
    pub text: String,
    /// What to do, in one line.
    pub remedy: String,
}

impl Finding {
    pub(crate) fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self {
            fault,
            text: text.into(),
            remedy: fault.entry().remedy.to_owned(),
        }
    }

    /// Names the index in the remedy.
    pub(crate) fn about(mut self, index: &str) -> Self {
        self.remedy = self.remedy.replace(NAME, index);
        self
    }

    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// What an error of a request that OpenReplay sends as well means, if it can come from a faulty
    /// server or connection.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let fault = Fault::of(error)?;
        let finding = match fault {
            Fault::Closed => Self::new(
                fault,
                "an index behind `logs` is closed, and every search of `logs` fails on it",
            ),
            fault => Self::new(fault, error.text()),
        };
        Some(match error.remedy() {
            Some(remedy) => finding.with_remedy(remedy),
            None => finding,
        })
    }
}

/// How much a fault matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "rows are shown, or they are not")]
pub enum Severity {
    /// Rows are missing, or come in the wrong order.
    Error,
    /// OpenReplay shows the session all the same.
    Hint,
}

/// What can be wrong, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// No connection, or no response.
    Unreachable,
    /// No trusted connection.
    Tls,
    /// The key is wrong, expired or missing.
    Unauthorized,
    /// The key cannot read `logs`.
    Forbidden,
    /// Elasticsearch cannot respond now: it is starting, overloaded, or unreachable behind a proxy.
    Unavailable,
    /// The response is not a valid Elasticsearch response.
    UnexpectedResponse,
    /// The response lacks Elasticsearch's product header.
    NotElasticsearch,
    /// Wired streams own the name `logs`.
    WiredStreams,
    /// `logs` is missing.
    NoLogs,
    /// An index behind `logs` is closed, on which every search fails.
    Closed,
    /// Some shards did not respond, so that rows are missing.
    Incomplete,
    /// `logs` has no record.
    Empty,
    /// `message` is not analysed text.
    NotAnalysed,
    /// Records are in tracing's own JSON form.
    TracingJson,
    /// Records without a `message`.
    NoMessage,
    /// Records without a `level` that the panel can read.
    NoLevel,
    /// No record of the session.
    SessionNotFound,
    /// The session's records do not come in time order.
    OutOfOrder,
    /// Records whose time the panel cannot read.
    NoTime,
    /// `logs` has no index to write to.
    NoWriteIndex,
    /// The write index rejects all writes.
    WriteBlocked,
    /// The write index has no available primary shard.
    RedIndex,
    /// A pipeline of the write index is missing.
    NoPipeline,
    /// Records with a `level` that the panel reads as `info`.
    UnknownLevel,
    /// The session has more records than OpenReplay requests.
    TooMany,
    /// No record belongs to a session yet.
    NoSessions,
    /// OpenReplay never requests this session's id.
    NotAnId,
    /// The session's records come in time order as far as an engine keeps it for a few.
    NearlyInOrder,
    /// The index is not sorted on time.
    NotSorted,
    /// `logs` is not an alias, so apps and `ship` cannot write to it.
    NotAnAlias,
    /// Credentials are sent over http.
    ClearText,
    /// Whether wired streams are enabled is unknown.
    WiredStreamsUnknown,
    /// A request that OpenReplay does not need was rejected, so something could not be examined.
    NotExamined,
    /// The requests were not sent with an API key.
    NotAKey,
}

struct Entry {
    fault: Fault,
    name: &'static str,
    severity: Severity,
    /// [`NAME`] stands for an index.
    remedy: &'static str,
}

const NAME: &str = "NAME";

const fn error(fault: Fault, name: &'static str, remedy: &'static str) -> Entry {
    Entry {
        fault,
        name,
        severity: Severity::Error,
        remedy,
    }
}

const fn hint(fault: Fault, name: &'static str, remedy: &'static str) -> Entry {
    Entry {
        fault,
        name,
        severity: Severity::Hint,
        remedy,
    }
}

/// In the order of [`Fault`].
const TABLE: [Entry; 34] = [
    error(
        Fault::Unreachable,
        "unreachable",
        "check the address, and that OpenReplay's server can also reach it",
    ),
    error(
        Fault::Tls,
        "tls",
        "use a certificate that OpenReplay's server trusts, and its name in the address; here, --ca-cert adds an authority",
    ),
    error(
        Fault::Unauthorized,
        "unauthorized",
        "create a new key with `openreplay-elastic api-key` and paste both its parts into OpenReplay's form; for a user, check the name \
         and the password",
    ),
    error(
        Fault::Forbidden,
        "forbidden",
        "create a key that can read `logs`: `openreplay-elastic api-key`",
    ),
    error(
        Fault::Unavailable,
        "unavailable",
        "try again in a moment; if the error persists, check GET /_cluster/health, Elasticsearch's log, and whether a proxy in front \
         reaches Elasticsearch",
    ),
    error(
        Fault::UnexpectedResponse,
        "unexpected-response",
        "check the address: its scheme, host, port and path must be Elasticsearch's own, or those of a proxy that forwards all requests",
    ),
    error(
        Fault::NotElasticsearch,
        "not-elasticsearch",
        "for OpenSearch, put a proxy in front that adds that header; if there is a proxy, let the header pass",
    ),
    error(
        Fault::WiredStreams,
        "wired-streams",
        "disable wired streams (POST /_streams/logs/_disable, or Streams in Kibana), then run `openreplay-elastic setup`",
    ),
    error(
        Fault::NoLogs,
        "no-logs",
        "run `openreplay-elastic setup`, with `--also NAME` for an index that has records already",
    ),
    error(
        Fault::Closed,
        "closed",
        "find it with GET /_cat/indices?expand_wildcards=all&h=index,status and open it (POST /NAME/_open), or remove it from `logs`: POST \
         /_aliases with {\"actions\": [{\"remove\": {\"index\": \"NAME\", \"alias\": \"logs\"}}]}",
    ),
    error(
        Fault::Incomplete,
        "incomplete",
        "look at GET /_cat/shards/logs?v and GET /_cluster/allocation/explain, and restore the missing nodes or disks",
    ),
    error(
        Fault::Empty,
        "empty",
        "run `openreplay-elastic setup`, which writes an initial record, or let the app write one",
    ),
    error(
        Fault::NotAnalysed,
        "not-analysed",
        "replace it with a copy in which `message` is text: PUT /logs-000000 after `openreplay-elastic setup`, POST /_reindex from the \
         old index to it, and POST /_aliases to put the copy behind `logs` instead of the old index",
    ),
    error(
        Fault::TracingJson,
        "tracing-json",
        RecordFault::TracingJson.remedy(),
    ),
    error(
        Fault::NoMessage,
        "no-message",
        RecordFault::NoMessage.remedy(),
    ),
    error(Fault::NoLevel, "no-level", RecordFault::NoLevel.remedy()),
    error(
        Fault::SessionNotFound,
        "session-not-found",
        "check in the browser that requests have the header openReplaySession.id, in the app's log that records name the session, and on \
         the app's or the shipper's standard error that they reach `logs`",
    ),
    error(
        Fault::OutOfOrder,
        "out-of-order",
        "write to the `logs` that `openreplay-elastic setup` creates, from senders that deliver within a second",
    ),
    error(Fault::NoTime, "no-time", RecordFault::NoTime.remedy()),
    error(
        Fault::NoWriteIndex,
        "no-write-index",
        "run `openreplay-elastic setup`, which restores it",
    ),
    error(
        Fault::WriteBlocked,
        "write-blocked",
        "remove the block: PUT /NAME/_settings {\"index.blocks.write\": null, \"index.blocks.read_only\": null}",
    ),
    error(
        Fault::RedIndex,
        "red-index",
        "look at GET /_cat/shards/NAME?v and GET /_cluster/allocation/explain; or run `openreplay-elastic rotate`, which starts another \
         index",
    ),
    error(
        Fault::NoPipeline,
        "no-pipeline",
        "create the pipeline, or take it out of the index: PUT /NAME/_settings {\"index.default_pipeline\": null, \
         \"index.final_pipeline\": null}",
    ),
    hint(
        Fault::UnknownLevel,
        "unknown-level",
        RecordFault::UnknownLevel.remedy(),
    ),
    hint(
        Fault::TooMany,
        "too-many",
        "OpenReplay shows the first 1,000: raise the level that is logged, or log less in loops",
    ),
    hint(
        Fault::NoSessions,
        "no-sessions",
        "check in the browser that requests have the header openReplaySession.id, and that SessionLayer is around the app's routes",
    ),
    hint(
        Fault::NotAnId,
        "not-an-id",
        "use the id that tracker.getSessionID() returns, as text: Number() in the page rounds it",
    ),
    hint(
        Fault::NearlyInOrder,
        "nearly-in-order",
        "no action is needed if several apps write at the same time: rows are at most two seconds out of order",
    ),
    hint(
        Fault::NotSorted,
        "not-sorted",
        "replace it with a sorted copy: PUT /logs-000000 after `openreplay-elastic setup`, POST /_reindex from the old index to it, POST \
         /logs-000000/_forcemerge?max_num_segments=1, and POST /_aliases to put the copy behind `logs` instead of the old index; or keep the \
         index: its rows appear in the order in which they were written",
    ),
    hint(
        Fault::NotAnAlias,
        "not-an-alias",
        "run `openreplay-elastic setup`, which changes nothing here and prints the requests that keep the records",
    ),
    hint(
        Fault::ClearText,
        "clear-text",
        "enable TLS in Elasticsearch (xpack.security.http.ssl.enabled) or in a proxy on its machine, and use https in the address",
    ),
    hint(
        Fault::WiredStreamsUnknown,
        "wired-streams-unknown",
        "run `check` once as a user with the cluster privilege monitor; wired streams own the name `logs` if they are enabled",
    ),
    hint(
        Fault::NotExamined,
        "not-examined",
        "if a proxy in front forwards only some requests, run `openreplay-elastic check` once against Elasticsearch itself",
    ),
    hint(
        Fault::NotAKey,
        "not-a-key",
        "set ELASTICSEARCH_API_KEY to the key that OpenReplay has",
    ),
];

impl Fault {
    /// All faults, the worst first.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Unreachable; TABLE.len()];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].fault;
            at += 1;
        }
        all
    };

    /// Returns its name for programs, such as `session-not-found`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns whether this is an error or a hint.
    pub fn severity(self) -> Severity {
        self.entry().severity
    }

    /// Returns whether OpenReplay shows the session all the same.
    pub fn is_hint(self) -> bool {
        self.severity() == Severity::Hint
    }

    /// What an error of a request that OpenReplay sends as well means, if it can come from a faulty
    /// server or connection.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match (error.kind(), error.error_type()) {
            (ErrorKind::Tls, _) => Some(Self::Tls),
            (ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Disconnected, _) => {
                Some(Self::Unreachable)
            }
            (ErrorKind::UnexpectedResponse, _) => Some(Self::UnexpectedResponse),
            (_, Some("index_not_found_exception")) => Some(Self::NoLogs),
            (_, Some("index_closed_exception")) => Some(Self::Closed),
            (ErrorKind::Status(StatusCode::UNAUTHORIZED), _) => Some(Self::Unauthorized),
            (ErrorKind::Status(StatusCode::FORBIDDEN), _) => Some(Self::Forbidden),
            (ErrorKind::Status(StatusCode::TOO_MANY_REQUESTS), _) => Some(Self::Unavailable),
            (ErrorKind::Status(status), _) if status.is_server_error() => Some(Self::Unavailable),
            (ErrorKind::Status(_), None) => Some(Self::UnexpectedResponse),
            _ => None,
        }
    }

    fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }
}

impl From<RecordFault> for Fault {
    fn from(fault: RecordFault) -> Self {
        match fault {
            RecordFault::TracingJson => Self::TracingJson,
            RecordFault::NoLevel => Self::NoLevel,
            RecordFault::NoTime => Self::NoTime,
            RecordFault::UnknownLevel => Self::UnknownLevel,
            _ => Self::NoMessage,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs read these names: a changed one is a breaking change.
    #[test]
    fn names_and_severities_are_the_same_in_every_version() {
        let errors = "unreachable tls unauthorized forbidden unavailable unexpected-response not-elasticsearch wired-streams no-logs closed incomplete empty not-analysed tracing-json no-message no-level session-not-found out-of-order no-time no-write-index write-blocked red-index no-pipeline";
        let hints = "unknown-level too-many no-sessions not-an-id nearly-in-order not-sorted not-an-alias clear-text wired-streams-unknown not-examined not-a-key";
        let names = |severity| {
            let all = Fault::ALL
                .into_iter()
                .filter(|fault| fault.severity() == severity);
            all.map(Fault::name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Severity::Error), errors);
        assert_eq!(names(Severity::Hint), hints);
    }

    #[test]
    fn each_fault_stands_at_its_place_in_the_table() {
        assert!(Fault::ALL.is_sorted(), "the worst first");
        for (at, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.fault as usize, at, "{}", entry.name);
            assert!(!entry.remedy.is_empty(), "{}", entry.name);
        }
        for fault in RecordFault::ALL {
            assert_eq!(Fault::from(fault).name(), fault.name());
        }
    }

    #[test]
    fn a_remedy_names_the_index_and_never_offers_http() {
        let finding = Finding::new(Fault::WriteBlocked, "m").about("logs-000002");
        assert!(
            finding.remedy.contains("PUT /logs-000002/_settings"),
            "{finding:?}"
        );
        for entry in &TABLE {
            assert!(!entry.remedy.contains("http "), "{}", entry.remedy);
            assert!(!entry.remedy.contains("plain http"), "{}", entry.remedy);
        }
    }
}
