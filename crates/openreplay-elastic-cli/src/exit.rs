//! What the command says at the end, and to the program that started it.

use std::error::Error as StdError;
use std::io;
use std::process::ExitCode;

use openreplay_elastic::Error;

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

pub(crate) fn code(outcome: Result<Outcome, Failure>) -> ExitCode {
    let error = match outcome {
        Ok(outcome) => {
            return ExitCode::from(match outcome {
                Outcome::Done => 0,
                Outcome::Found => 4,
                Outcome::NoRecord => 5,
                Outcome::Refused => 6,
                Outcome::Unreadable => 7,
            });
        }
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            // whoever reads has read enough
            return ExitCode::SUCCESS;
        }
        Err(error) => error,
    };
    let code = match &error {
        Failure::Usage(text) => {
            print::error(text, None);
            2
        }
        Failure::Panel(text) => {
            print::error(text, None);
            1
        }
        Failure::Io(error) => {
            print::error(&error.to_string(), error.source());
            1
        }
        Failure::Elastic(error) => {
            print::error(&error.to_string(), error.source());
            match error {
                error if error.is_config() => 2,
                error if error.is_state() => 3,
                _ => 1,
            }
        }
    };
    ExitCode::from(code)
}
