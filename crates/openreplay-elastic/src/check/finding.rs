use std::fmt;

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
    /// Without Elasticsearch's product header.
    NotElasticsearch,
    /// Wired streams own the name `logs`.
    WiredStreams,
    /// There is no `logs`.
    NoLogs,
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
    /// The index is not sorted on time.
    NotSorted,
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
            Self::NotElasticsearch => "not-elasticsearch",
            Self::WiredStreams => "wired-streams",
            Self::NoLogs => "no-logs",
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
            Self::NotSorted => "not-sorted",
            Self::NotAKey => "not-a-key",
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
                "give the authority's certificate by --ca-cert here; OpenReplay needs one that its system trusts, or plain http"
            }
            Self::Unauthorized => {
                "make a new key by `openreplay-elastic api-key` and paste both its parts into OpenReplay's form; asked as a user, \
                 look at the name and the password"
            }
            Self::Forbidden => "make a key that may read `logs`: `openreplay-elastic api-key`",
            Self::NotElasticsearch => {
                "with OpenSearch, put a proxy in front that adds that header; behind a proxy, let it pass"
            }
            Self::WiredStreams => {
                "switch them off (POST /_streams/logs/_disable, or Streams in Kibana), then `openreplay-elastic setup`"
            }
            Self::NoLogs => {
                "run `openreplay-elastic setup`, with `--also NAME` for an index that has records already"
            }
            Self::Empty => {
                "run `openreplay-elastic setup`, which writes a first record, or let the app write one"
            }
            Self::NotAnalysed => {
                "reindex it with `message` as text, or run `openreplay-elastic setup` and write there"
            }
            Self::NoMessage => {
                "write each record's text into `message`, as tracing_openreplay::json() does"
            }
            Self::NoLevel => {
                "give every record a `level` of error, warning, info or debug: one without breaks the whole panel"
            }
            Self::SessionNotFound => {
                "see that the page sends the header, that SessionLayer is there, and that records reach `logs`: docs/no-row.md"
            }
            Self::NoSessions => {
                "see that the page sends the header openReplaySession.id and that SessionLayer is there: docs/no-row.md"
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
            Self::NotSorted => {
                "put a sorted copy in its place, as docs/elasticsearch.md shows, or live with it: a session's rows come from \
                 there as they were written, and the panel follows the replay only roughly"
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
