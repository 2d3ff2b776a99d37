//! How the command ends: for people, and for the program that started it.

use std::error::Error as StdError;
use std::io;
use std::iter;
use std::process::ExitCode;

use openreplay_elastic::{Error, ErrorKind, Precondition};
use serde_json::{Value, json};

use crate::{print, signals};

/// How a subcommand can end without having failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// `check` found what keeps rows away.
    Faults,
    /// `logs` found no record.
    NoRecord,
    /// Elasticsearch refused records that `ship` sent.
    Refused,
    /// `ship` could not read a file.
    Unreadable,
    /// `logs` cannot show all rows as they should be.
    Incomplete,
    /// This signal stopped it before it was done.
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
    /// The options do not suffice.
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

/// What kind a failure is: its name for programs, and its exit code.
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
            Self::Refused => 6,
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
        texts(match self {
            Self::Usage(_) | Self::Panel(_) => None,
            Self::Io(error) => error.source(),
            Self::Store(error) => error.source(),
            Self::Elastic(error) => error.source(),
        })
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

/// How many causes are looked at, since an error can be its own cause, and how many of them are
/// reported.
const SEARCHED: usize = 1024;
const REPORTED: usize = 32;

/// The texts of an error and its causes. The root cause is the last one, however many are left out
/// before it.
fn texts(error: Option<&(dyn StdError + 'static)>) -> Vec<String> {
    let errors = iter::successors(error, |error: &&(dyn StdError + 'static)| (*error).source());
    let errors: Vec<_> = errors.take(SEARCHED).collect();
    let left_out = errors.len().saturating_sub(REPORTED);
    let (first, rest) = errors.split_at(errors.len().min(REPORTED - 1));
    let mark = (left_out > 0).then(|| format!("… [{left_out} causes left out]"));
    let first = first.iter().map(ToString::to_string);
    let last = rest.iter().skip(left_out).map(ToString::to_string);
    first.chain(mark).chain(last).collect()
}

/// Prints why it failed: for people on standard error, and for programs on standard output, too.
///
/// `passed_over` is what may help if the credentials do not suffice.
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
        // should this fail, the text is on standard error already
        let _ = print::json(&failure.json());
    }
    ExitCode::from(failure.kind().code())
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// The nth of a chain that ends at 0, or one that is its own cause.
    #[derive(Debug)]
    enum Chain {
        Nth(usize, Option<Box<Chain>>),
        Own,
    }

    impl fmt::Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Nth(nth, _) => write!(f, "{nth}"),
                Self::Own => f.write_str("own"),
            }
        }
    }

    impl StdError for Chain {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            match self {
                Self::Nth(_, cause) => cause.as_deref().map(|cause| cause as _),
                Self::Own => Some(self),
            }
        }
    }

    #[test]
    fn the_first_causes_and_the_root_cause_are_reported() {
        for length in [1, 2, 31, 32, 33, 100] {
            let chain = (1..length).fold(Chain::Nth(0, None), |cause, nth| {
                Chain::Nth(nth, Some(Box::new(cause)))
            });
            let texts = texts(Some(&chain));
            let mark = usize::from(length > REPORTED);
            assert_eq!(texts.len(), length.min(REPORTED) + mark, "{length}");
            assert_eq!(texts.last().map(String::as_str), Some("0"), "{length}");
            if mark == 1 {
                let expected = format!("… [{} causes left out]", length - REPORTED);
                assert_eq!(texts[REPORTED - 1], expected);
            }
        }
        assert_eq!(texts(None), [""; 0]);
    }

    #[test]
    fn an_error_that_is_its_own_cause_ends() {
        let error = Failure::Io(io::Error::other(Chain::Own));
        assert_eq!(error.causes().len(), REPORTED + 1);
    }

    /// Scripts read these: a changed one is a breaking change.
    #[test]
    fn exit_codes_and_kinds_are_the_same_in_every_version() {
        let outcomes = [
            (Outcome::Done, 0),
            (Outcome::Faults, 4),
            (Outcome::NoRecord, 5),
            (Outcome::Refused, 6),
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
