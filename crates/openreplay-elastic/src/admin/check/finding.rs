use std::fmt;

use http::StatusCode;

use crate::Error;

/// One thing that is wrong, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing.
    pub fault: Fault,
    /// What was found, in one line.
    pub text: String,
    /// What to do, in one line.
    pub remedy: &'static str,
}

impl Finding {
    pub(crate) fn new(fault: Fault, text: String) -> Self {
        Self {
            fault,
            text,
            remedy: fault.remedy(),
        }
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
    /// No connection, or no answer.
    Unreachable,
    /// No trusted connection.
    Tls,
    /// The key is wrong, expired or missing.
    Unauthorized,
    /// The key may not read `logs`.
    Forbidden,
    /// It cannot answer now: it is starting, overloaded, or away behind a proxy.
    Unavailable,
    /// An answer that is none of either engine's.
    WrongAnswer,
    /// Without Elasticsearch's product header.
    NotElasticsearch,
    /// Wired streams own the name `logs`.
    WiredStreams,
    /// There is no `logs`.
    NoLogs,
    /// An index behind it is closed, on which every search fails.
    Closed,
    /// There is no record in it.
    Empty,
    /// `message` is not analysed text.
    NotAnalysed,
    /// Records without a `message`.
    NoMessage,
    /// Records without a `level` that the panel can read.
    NoLevel,
    /// No record of the session.
    SessionNotFound,
    /// The session's records do not come in the order of time.
    OutOfOrder,
    /// Records whose time the panel cannot read.
    NoTime,
    /// Records with a `level` that the panel reads as `info`.
    UnknownLevel,
    /// The session has more records than OpenReplay asks for.
    TooMany,
    /// No record of any session yet.
    NoSessions,
    /// The session's id is none that OpenReplay could ask for.
    NotAnId,
    /// The session's records come in the order of time as far as an engine keeps it for a few.
    NearlyInOrder,
    /// The index is not sorted on time.
    NotSorted,
    /// Whether wired streams are switched on cannot be asked.
    WiredStreamsUnknown,
    /// The question was not asked with an API key.
    NotAKey,
}

impl Fault {
    /// All faults, the worst first.
    pub const ALL: [Self; 25] = [
        Self::Unreachable,
        Self::Tls,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Unavailable,
        Self::WrongAnswer,
        Self::NotElasticsearch,
        Self::WiredStreams,
        Self::NoLogs,
        Self::Closed,
        Self::Empty,
        Self::NotAnalysed,
        Self::NoMessage,
        Self::NoLevel,
        Self::SessionNotFound,
        Self::OutOfOrder,
        Self::NoTime,
        Self::UnknownLevel,
        Self::TooMany,
        Self::NoSessions,
        Self::NotAnId,
        Self::NearlyInOrder,
        Self::NotSorted,
        Self::WiredStreamsUnknown,
        Self::NotAKey,
    ];

    /// Returns its name for programs, such as `session-not-found`.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// Returns whether OpenReplay shows the session's rows although something is wrong.
    pub fn severity(self) -> Severity {
        self.entry().1
    }

    /// Whether OpenReplay shows the session all the same.
    pub fn is_hint(self) -> bool {
        self.severity() == Severity::Hint
    }

    pub(super) fn remedy(self) -> &'static str {
        self.entry().2
    }

    /// What an error of a question that OpenReplay asks too means, if it can come from a place that is not as it should be.
    pub(super) fn of(error: &Error) -> Option<Self> {
        if error.is_tls() {
            return Some(Self::Tls);
        }
        if error.is_connect() || error.is_timeout() || error.is_disconnected() {
            return Some(Self::Unreachable);
        }
        if error.is_unexpected_response() {
            return Some(Self::WrongAnswer);
        }
        match (error.status()?, error.error_type()) {
            (_, Some("index_not_found_exception")) => Some(Self::NoLogs),
            (_, Some("index_closed_exception")) => Some(Self::Closed),
            (StatusCode::UNAUTHORIZED, _) => Some(Self::Unauthorized),
            (StatusCode::FORBIDDEN, _) => Some(Self::Forbidden),
            (StatusCode::TOO_MANY_REQUESTS, _) => Some(Self::Unavailable),
            (status, _) if status.is_server_error() => Some(Self::Unavailable),
            (_, None) => Some(Self::WrongAnswer),
            _ => None,
        }
    }

    /// Name, severity and remedy.
    fn entry(self) -> (&'static str, Severity, &'static str) {
        match self {
            Self::Unreachable => (
                "unreachable",
                Severity::Error,
                "check the address, and that OpenReplay's own server can reach it too",
            ),
            Self::Tls => (
                "tls",
                Severity::Error,
                "give the authority's certificate by --ca-cert here, and the name in --url that the certificate was made for; OpenReplay needs one \
                 that its system trusts, or plain http",
            ),
            Self::Unauthorized => (
                "unauthorized",
                Severity::Error,
                "make a new key by `openreplay-elastic api-key` and paste both its parts into OpenReplay's form; asked as a user, \
                 look at the name and the password",
            ),
            Self::Forbidden => (
                "forbidden",
                Severity::Error,
                "make a key that may read `logs`: `openreplay-elastic api-key`",
            ),
            Self::Unavailable => (
                "unavailable",
                Severity::Error,
                "ask again in a moment; if it stays, look at GET /_cluster/health and at Elasticsearch's own log, and behind a proxy, \
                 whether that reaches it",
            ),
            Self::WrongAnswer => (
                "wrong-answer",
                Severity::Error,
                "check the address: scheme, host, port and path have to be Elasticsearch's own, or those of a proxy that passes all on to it",
            ),
            Self::NotElasticsearch => (
                "not-elasticsearch",
                Severity::Error,
                "with OpenSearch, put a proxy in front that adds that header; behind a proxy, let it pass",
            ),
            Self::WiredStreams => (
                "wired-streams",
                Severity::Error,
                "switch them off (POST /_streams/logs/_disable, or Streams in Kibana), then `openreplay-elastic setup`",
            ),
            Self::NoLogs => (
                "no-logs",
                Severity::Error,
                "run `openreplay-elastic setup`, with `--also NAME` for an index that has records already",
            ),
            Self::Closed => (
                "closed",
                Severity::Error,
                "find it by GET /_cat/indices?expand_wildcards=all&h=index,status and open it (POST /NAME/_open), or take it from behind `logs`: POST /_aliases with {\"actions\": [{\"remove\": {\"index\": \
                 \"NAME\", \"alias\": \"logs\"}}]}",
            ),
            Self::Empty => (
                "empty",
                Severity::Error,
                "run `openreplay-elastic setup`, which writes a first record, or let the app write one",
            ),
            Self::NotAnalysed => (
                "not-analysed",
                Severity::Error,
                "put a copy in its place in which `message` is text: PUT /logs-000000 after `openreplay-elastic setup`, POST /_reindex \
                 from the old one to it, and by POST /_aliases the copy behind `logs` instead of the old one",
            ),
            Self::NoMessage => (
                "no-message",
                Severity::Error,
                "write each record's text into `message`, as tracing_openreplay::json() does",
            ),
            Self::NoLevel => (
                "no-level",
                Severity::Error,
                "give every record a `level` of error, warning, info or debug: one without breaks the whole panel",
            ),
            Self::SessionNotFound => (
                "session-not-found",
                Severity::Error,
                "see in the browser that requests have the header openReplaySession.id, in the app's log that records name the session, and \
                 by the app's or the shipper's standard error that they reach `logs`",
            ),
            Self::OutOfOrder => (
                "out-of-order",
                Severity::Error,
                "write to the `logs` that `openreplay-elastic setup` makes, from senders that deliver within a second",
            ),
            Self::NoTime => (
                "no-time",
                Severity::Error,
                "write `@timestamp` as RFC 3339, such as 2026-07-01T12:00:00.000000Z",
            ),
            Self::UnknownLevel => (
                "unknown-level",
                Severity::Hint,
                "write error, warning, info or debug, in lower case: warn is `warning`, trace is `debug`",
            ),
            Self::TooMany => (
                "too-many",
                Severity::Hint,
                "OpenReplay shows the first 1,000: raise the level that is logged, or log less in loops",
            ),
            Self::NoSessions => (
                "no-sessions",
                Severity::Hint,
                "see in the browser that requests have the header openReplaySession.id, and that SessionLayer is around the app's routes",
            ),
            Self::NotAnId => (
                "not-an-id",
                Severity::Hint,
                "use the id that tracker.getSessionID() gives, as text: Number() in the page rounds it",
            ),
            Self::NearlyInOrder => (
                "nearly-in-order",
                Severity::Hint,
                "nothing, where apps write at the same time: the panel follows the replay to within two seconds",
            ),
            Self::NotSorted => (
                "not-sorted",
                Severity::Hint,
                "put a sorted copy in its place: PUT /logs-000000 after `openreplay-elastic setup`, POST /_reindex from the old one to it, \
                 POST /logs-000000/_forcemerge?max_num_segments=1, and by POST /_aliases the copy behind `logs` instead of the old one; \
                 or live with it: a session's rows come from there as they were written, and the panel follows the replay only roughly",
            ),
            Self::WiredStreamsUnknown => (
                "wired-streams-unknown",
                Severity::Hint,
                "ask once as a user with the cluster privilege monitor: where they are switched on, they own the name `logs`",
            ),
            Self::NotAKey => (
                "not-a-key",
                Severity::Hint,
                "set ELASTICSEARCH_API_KEY to the key that OpenReplay has",
            ),
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
        let errors = "unreachable tls unauthorized forbidden unavailable wrong-answer not-elasticsearch wired-streams no-logs closed empty not-analysed no-message no-level session-not-found out-of-order no-time";
        let hints = "unknown-level too-many no-sessions not-an-id nearly-in-order not-sorted wired-streams-unknown not-a-key";
        let names = |severity| {
            let all = Fault::ALL
                .into_iter()
                .filter(|fault| fault.severity() == severity);
            all.map(Fault::name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(Severity::Error), errors);
        assert_eq!(names(Severity::Hint), hints);
        assert!(Fault::ALL.is_sorted(), "the worst first");
        assert!(Fault::ALL.iter().all(|fault| !fault.remedy().is_empty()));
    }
}
