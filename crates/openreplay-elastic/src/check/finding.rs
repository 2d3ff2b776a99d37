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
    /// Its name for programs, such as `session-not-found`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
            Self::WrongAnswer => "wrong-answer",
            Self::NotElasticsearch => "not-elasticsearch",
            Self::WiredStreams => "wired-streams",
            Self::NoLogs => "no-logs",
            Self::Closed => "closed",
            Self::Empty => "empty",
            Self::NotAnalysed => "not-analysed",
            Self::NoMessage => "no-message",
            Self::NoLevel => "no-level",
            Self::SessionNotFound => "session-not-found",
            Self::NoSessions => "no-sessions",
            Self::OutOfOrder => "out-of-order",
            Self::NoTime => "no-time",
            Self::UnknownLevel => "unknown-level",
            Self::TooMany => "too-many",
            Self::NotAnId => "not-an-id",
            Self::NearlyInOrder => "nearly-in-order",
            Self::NotSorted => "not-sorted",
            Self::WiredStreamsUnknown => "wired-streams-unknown",
            Self::NotAKey => "not-a-key",
        }
    }

    /// What an error of a question that OpenReplay asks too means, if it can come from a place that is not as it should be.
    pub(super) fn of(error: &Error) -> Option<Self> {
        if error.is_tls() {
            return Some(Self::Tls);
        }
        if error.is_connect() || error.is_timeout() || error.is_broken() {
            return Some(Self::Unreachable);
        }
        if error.is_answer() {
            return Some(Self::WrongAnswer);
        }
        match (error.status()?, error.name()) {
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

    /// Whether OpenReplay shows the session all the same.
    pub fn is_hint(self) -> bool {
        self >= Self::UnknownLevel
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "check the address, and that OpenReplay's own server can reach it too"
            }
            Self::Tls => {
                "give the authority's certificate by --ca-cert here, and the name in --url that the certificate was made for; OpenReplay needs one \
                 that its system trusts, or plain http"
            }
            Self::Unauthorized => {
                "make a new key by `openreplay-elastic api-key` and paste both its parts into OpenReplay's form; asked as a user, \
                 look at the name and the password"
            }
            Self::Forbidden => "make a key that may read `logs`: `openreplay-elastic api-key`",
            Self::Unavailable => {
                "ask again in a moment; if it stays, look at GET /_cluster/health and at Elasticsearch's own log, and behind a proxy, \
                 whether that reaches it"
            }
            Self::WrongAnswer => {
                "check the address: scheme, host, port and path have to be Elasticsearch's own, or those of a proxy that passes all on to it"
            }
            Self::NotElasticsearch => {
                "with OpenSearch, put a proxy in front that adds that header; behind a proxy, let it pass"
            }
            Self::WiredStreams => {
                "switch them off (POST /_streams/logs/_disable, or Streams in Kibana), then `openreplay-elastic setup`"
            }
            Self::NoLogs => {
                "run `openreplay-elastic setup`, with `--also NAME` for an index that has records already"
            }
            Self::Closed => {
                "find it by GET /_cat/indices?expand_wildcards=all&h=index,status and open it (POST /NAME/_open), or take it from behind `logs`: POST /_aliases with {\"actions\": [{\"remove\": {\"index\": \
                 \"NAME\", \"alias\": \"logs\"}}]}"
            }
            Self::Empty => {
                "run `openreplay-elastic setup`, which writes a first record, or let the app write one"
            }
            Self::NotAnalysed => {
                "put a copy in its place in which `message` is text: PUT /logs-000000 after `openreplay-elastic setup`, POST /_reindex \
                 from the old one to it, and by POST /_aliases the copy behind `logs` instead of the old one"
            }
            Self::NoMessage => {
                "write each record's text into `message`, as tracing_openreplay::json() does"
            }
            Self::NoLevel => {
                "give every record a `level` of error, warning, info or debug: one without breaks the whole panel"
            }
            Self::SessionNotFound => {
                "see in the browser that requests have the header openReplaySession.id, in the app's log that records name the session, and \
                 by the app's or the shipper's standard error that they reach `logs`"
            }
            Self::NoSessions => {
                "see in the browser that requests have the header openReplaySession.id, and that SessionLayer is around the app's routes"
            }
            Self::OutOfOrder => {
                "write to the `logs` that `openreplay-elastic setup` makes, from senders that deliver within a second"
            }
            Self::NoTime => "write `@timestamp` as RFC 3339, such as 2026-07-01T12:00:00.000000Z",
            Self::UnknownLevel => {
                "write error, warning, info or debug, in lower case: warn is `warning`, trace is `debug`"
            }
            Self::TooMany => {
                "OpenReplay shows the first 1,000: raise the level that is logged, or log less in loops"
            }
            Self::NotAnId => {
                "use the id that tracker.getSessionID() gives, as text: Number() in the page rounds it"
            }
            Self::NearlyInOrder => {
                "nothing, where apps write at the same time: the panel follows the replay to within two seconds"
            }
            Self::NotSorted => {
                "put a sorted copy in its place: PUT /logs-000000 after `openreplay-elastic setup`, POST /_reindex from the old one to it, \
                 POST /logs-000000/_forcemerge?max_num_segments=1, and by POST /_aliases the copy behind `logs` instead of the old one; \
                 or live with it: a session's rows come from there as they were written, and the panel follows the replay only roughly"
            }
            Self::WiredStreamsUnknown => {
                "ask once as a user with the cluster privilege monitor: where they are switched on, they own the name `logs`"
            }
            Self::NotAKey => "set ELASTICSEARCH_API_KEY to the key that OpenReplay has",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
