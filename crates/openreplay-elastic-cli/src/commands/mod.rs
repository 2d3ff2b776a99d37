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
