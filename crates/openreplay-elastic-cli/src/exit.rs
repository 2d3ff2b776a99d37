//! What the command says at the end, and to the program that started it.

use std::error::Error as StdError;
use std::io;
use std::process::ExitCode;

use openreplay_elastic::Error;
use serde_json::{Value, json};

use crate::print;

/// How a subcommand can end without having failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// `check` found what keeps rows away.
    Found,
    /// `logs` found no record.
    NoRecord,
    /// Elasticsearch refused records that `ship` sent.
    Refused,
    /// `ship` could not read a file.
    Unreadable,
}

/// Why a subcommand failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Elastic(Error),
    Io(io::Error),
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

impl Failure {
    /// What kind it is, for programs.
    fn kind(&self) -> &'static str {
        let error = match self {
            Self::Usage(_) => return "usage",
            Self::Panel(_) => return "panel",
            Self::Io(_) => return "io",
            Self::Elastic(error) => error,
        };
        match error {
            error if error.is_config() => "usage",
            error if error.is_state() => "state",
            error if error.is_io() => "io",
            error if error.is_tls() => "tls",
            error if error.is_connect() => "unreachable",
            error if error.is_timeout() => "timeout",
            error if error.is_broken() => "broken",
            error if error.is_answer() || error.is_too_long() => "answer",
            error if error.is_unauthorized() => "unauthorized",
            error if error.is_forbidden() => "forbidden",
            _ => "refused",
        }
    }

    fn code(&self) -> u8 {
        match self.kind() {
            "usage" => 2,
            "state" => 3,
            _ => 1,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Usage(text) | Self::Panel(text) => text.clone(),
            Self::Io(error) => error.to_string(),
            Self::Elastic(error) => error.to_string(),
        }
    }

    fn causes(&self) -> Vec<String> {
        let mut cause = match self {
            Self::Usage(_) | Self::Panel(_) => None,
            Self::Io(error) => error.source(),
            Self::Elastic(error) => error.source(),
        };
        let mut causes = Vec::new();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        causes
    }

    pub(crate) fn json(&self) -> Value {
        let elastic = match self {
            Self::Elastic(error) => Some(error),
            _ => None,
        };
        json!({"error": {
            "kind": self.kind(),
            "reason": elastic.and_then(Error::reason),
            "status": elastic.and_then(Error::status).map(|status| status.as_u16()),
            "name": elastic.and_then(Error::name),
            "text": self.text(),
            "because": self.causes(),
        }})
    }
}

/// Says why it failed: in words on standard error, and for programs on standard output too.
///
/// `passed_over` is what may help where those who asked may not.
pub(crate) fn code(
    outcome: Result<Outcome, Failure>,
    json: bool,
    passed_over: Option<&'static str>,
) -> ExitCode {
    let failure = match outcome {
        Ok(outcome) => {
            return ExitCode::from(match outcome {
                Outcome::Done => 0,
                Outcome::Found => 4,
                Outcome::NoRecord => 5,
                Outcome::Refused => 6,
                Outcome::Unreadable => 7,
            });
        }
        Err(failure) => failure,
    };
    let mut because = failure.causes();
    if matches!(failure.kind(), "unauthorized" | "forbidden") {
        because.extend(passed_over.map(str::to_owned));
    }
    print::error(&failure.text(), &because);
    if json {
        // the words are on standard error, should this fail
        let _ = print::json(&failure.json());
    }
    ExitCode::from(failure.code())
}
