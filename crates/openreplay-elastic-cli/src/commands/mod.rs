//! The subcommands, one file each.

use clap::Subcommand;
use openreplay_session::SessionId;

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};

mod api_key;
mod check;
mod completions;
mod export;
mod faults;
mod following;
mod input;
mod logs;
mod man;
mod notify;
mod rotate;
mod serve;
mod setup;
mod ship;
mod stop;
mod summary;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Setup(setup::Args),
    ApiKey(api_key::Args),
    Check(check::Args),
    Logs(logs::Args),
    Rotate(rotate::Args),
    Ship(ship::Args),
    Serve(serve::Args),
    Export(export::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Parses a session's id. The error repeats nothing of the text, which may be the session's token.
fn session(text: &str) -> Result<SessionId, Failure> {
    text.parse().map_err(|_| {
        Failure::Usage(
            "not a session id: expected what tracker.getSessionID() returns, such as 4950498349085463837; a token (with dots), \
             `undefined` and `null` are not ids"
                .to_owned(),
        )
    })
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
            Self::Serve(args) => args.run(json).await,
            Self::Export(args) => args.run(),
            Self::Completions(args) => args.run(),
            Self::Man(args) => args.run(),
        }
    }
}
