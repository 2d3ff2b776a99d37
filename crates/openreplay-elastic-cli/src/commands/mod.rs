//! The subcommands: a file each.

use clap::Subcommand;

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};

mod api_key;
mod check;
mod logs;
mod rotate;
mod setup;
mod ship;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Setup(setup::Args),
    ApiKey(api_key::Args),
    Check(check::Args),
    Logs(logs::Args),
    Rotate(rotate::Args),
    Ship(ship::Args),
}

/// What a page's header can carry; nothing of what was given is repeated, since it may be the session's token.
fn session(text: &str) -> Result<&str, Failure> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=64).contains(&text.len()) && text.chars().all(is_part) {
        return Ok(text);
    }
    Err(Failure::Usage(
        "that is no session's id: expected what tracker.getSessionID() gives, such as 4950498349085463837; a token (with \
         dots) is none"
            .to_owned(),
    ))
}

impl Command {
    pub(crate) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        match self {
            Self::Setup(args) => args.run(connect, json).await,
            Self::ApiKey(args) => args.run(connect, json).await,
            Self::Check(args) => args.run(connect, json).await,
            Self::Logs(args) => args.run(connect, json).await,
            Self::Rotate(args) => args.run(connect, json).await,
            Self::Ship(args) => args.run(connect, json).await,
        }
    }
}
