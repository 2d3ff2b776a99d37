//! Exit codes, and the report of a failure on standard error and, for programs, as JSON.

use std::error::Error as StdError;
use std::io;
use std::process::ExitCode;

use openreplay_elastic::{Error, ErrorKind, Precondition};
use openreplay_record::causes;
use serde_json::{Value, json};

use crate::{print, signals};

/// How a subcommand ends if it has not failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// `check` found a problem that keeps rows from appearing.
    Faults,
    /// `logs` found no record.
    NoRecord,
    /// Elasticsearch rejected records that `ship` sent.
    Rejected,
    /// `ship` or `export` could not read a file.
    Unreadable,
    /// `logs` cannot show all rows correctly.
    Incomplete,
    /// This signal stopped the subcommand before it was done.
    Stopped(u8),
}

/// Why a subcommand failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Elastic(Error),
    Io(io::Error),
    /// The embedded store cannot be used.
    Store(openreplay_store::Error),
    /// The panel would show nothing.
    Panel(String),
    /// The options are wrong or incomplete.
    Usage(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Elastic(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<openreplay_store::Error> for Failure {
    fn from(error: openreplay_store::Error) -> Self {
        Self::Store(error)
    }
}

/// The kind of a failure, with its name for programs and its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Usage,
    Precondition,
    Io,
    Tls,
    Unreachable,
    Timeout,
    Disconnected,
    UnexpectedResponse,
    Unauthorized,
    Forbidden,
    Rejected,
    Panel,
}

impl Kind {
    const ALL: [(Self, &'static str, u8); 12] = [
        (Self::Usage, "usage", 2),
        (Self::Precondition, "precondition", 3),
        (Self::Io, "io", 1),
        (Self::Tls, "tls", 1),
        (Self::Unreachable, "unreachable", 1),
        (Self::Timeout, "timeout", 1),
        (Self::Disconnected, "disconnected", 1),
        (Self::UnexpectedResponse, "unexpected-response", 1),
        (Self::Unauthorized, "unauthorized", 1),
        (Self::Forbidden, "forbidden", 1),
        (Self::Rejected, "rejected", 1),
        (Self::Panel, "panel", 1),
    ];

    fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Self::Usage,
            ErrorKind::Precondition(_) => Self::Precondition,
            ErrorKind::Io => Self::Io,
            ErrorKind::Tls => Self::Tls,
            ErrorKind::Connect => Self::Unreachable,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Disconnected => Self::Disconnected,
            ErrorKind::UnexpectedResponse | ErrorKind::ResponseTooLong => Self::UnexpectedResponse,
            _ if error.is_unauthorized() => Self::Unauthorized,
            _ if error.is_forbidden() => Self::Forbidden,
            _ => Self::Rejected,
        }
    }

    fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    fn code(self) -> u8 {
        Self::ALL[self as usize].2
    }
}

impl Outcome {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Faults => 4,
            Self::NoRecord => 5,
            Self::Rejected => 6,
            Self::Unreadable => 7,
            Self::Incomplete => 8,
            Self::Stopped(signal) => signals::exit_code(signal),
        }
    }
}

impl Failure {
    fn kind(&self) -> Kind {
        match self {
            Self::Usage(_) => Kind::Usage,
            Self::Panel(_) => Kind::Panel,
            Self::Store(error) if error.is_locked() => Kind::Precondition,
            Self::Io(_) | Self::Store(_) => Kind::Io,
            Self::Elastic(error) => Kind::of(error),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Usage(text) | Self::Panel(text) => text.clone(),
            Self::Io(error) => error.to_string(),
            Self::Store(error) => error.to_string(),
            Self::Elastic(error) => error.to_string(),
        }
    }

    fn causes(&self) -> Vec<String> {
        let error: &(dyn StdError + 'static) = match self {
            Self::Usage(_) | Self::Panel(_) => return Vec::new(),
            Self::Io(error) => error,
            Self::Store(error) => error,
            Self::Elastic(error) => error,
        };
        causes::of(error).map(|cause| cause.to_string()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        let elastic = match self {
            Self::Elastic(error) => Some(error),
            _ => None,
        };
        json!({"error": {
            "kind": self.kind().name(),
            "precondition": elastic.and_then(Error::precondition).map(Precondition::name),
            "status": elastic.and_then(Error::status).map(|status| status.as_u16()),
            "type": elastic.and_then(Error::error_type),
            "reason": elastic.and_then(Error::reason),
            "text": self.text(),
            "remedy": elastic.and_then(Error::remedy),
            "because": self.causes(),
        }})
    }
}

/// Returns the exit code, and reports a failure: as text on standard error and, with `json`, as an
/// object on standard output.
///
/// `passed_over` is a hint for rejected credentials.
pub(crate) fn code(
    outcome: Result<Outcome, Failure>,
    json: bool,
    passed_over: Option<&'static str>,
) -> ExitCode {
    let failure = match outcome {
        Ok(outcome) => return ExitCode::from(outcome.code()),
        Err(failure) => failure,
    };
    let mut because = failure.causes();
    if matches!(failure.kind(), Kind::Unauthorized | Kind::Forbidden) {
        because.extend(passed_over.map(str::to_owned));
    }
    print::error(&failure.text(), &because);
    if json {
        // if this fails, the text is on standard error already
        let _ = print::json(&failure.json());
    }
    ExitCode::from(failure.kind().code())
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// An error that is its own cause.
    #[derive(Debug)]
    struct Own;

    impl fmt::Display for Own {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("own")
        }
    }

    impl StdError for Own {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn an_error_that_is_its_own_cause_ends_with_a_mark_among_its_causes() {
        let because = Failure::Io(io::Error::other(Own)).causes();
        let (marks, causes): (Vec<_>, Vec<_>) =
            because.iter().partition(|cause| cause.as_str() != "own");
        assert_eq!(marks, ["… [at least 992 causes left out]"]);
        assert_eq!(causes.len(), 32);
    }

    /// Scripts read these: a changed one is a breaking change.
    #[test]
    fn exit_codes_and_kinds_are_the_same_in_every_version() {
        let outcomes = [
            (Outcome::Done, 0),
            (Outcome::Faults, 4),
            (Outcome::NoRecord, 5),
            (Outcome::Rejected, 6),
            (Outcome::Unreadable, 7),
            (Outcome::Incomplete, 8),
            (Outcome::Stopped(15), 143),
        ];
        for (outcome, code) in outcomes {
            assert_eq!(outcome.code(), code, "{outcome:?}");
        }
        let kinds = "usage precondition io tls unreachable timeout disconnected unexpected-response unauthorized forbidden rejected \
                     panel";
        assert_eq!(Kind::ALL.map(|(_, name, _)| name).join(" "), kinds);
        for (at, (kind, _, code)) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at, "{kind:?}");
            let expected = match kind {
                Kind::Usage => 2,
                Kind::Precondition => 3,
                _ => 1,
            };
            assert_eq!(code, expected, "{kind:?}");
        }
    }
}
