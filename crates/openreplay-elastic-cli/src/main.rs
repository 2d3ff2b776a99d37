//! The command `openreplay-elastic`: sets up, checks and fills the Elasticsearch from which
//! OpenReplay reads logs.

use std::env;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};

use self::commands::Command;
use self::connect::ConnectArgs;
use self::exit::Failure;

mod allocator;
mod commands;
mod connect;
mod exit;
mod print;
mod signals;

/// Show an app's logs next to OpenReplay's session replays
///
/// From nothing to a row next to a replay:
///
///   openreplay-elastic setup         create `logs`, where OpenReplay searches
///   openreplay-elastic api-key       create the key for OpenReplay's form
///   openreplay-elastic check         send OpenReplay's requests, print each problem
///   openreplay-elastic logs SESSION  print a session's rows as the panel shows them
///
/// If an app writes its records to files: openreplay-elastic ship 'app.log*'
///
/// Without Elasticsearch, on one machine: openreplay-elastic serve --data DIR
#[derive(Debug, Parser)]
#[command(name = NAME, version, verbatim_doc_comment, after_long_help = AFTER_HELP, propagate_version = true)]
struct Args {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    connect: ConnectArgs,

    /// Print one JSON object on standard output, for programs: the result, or
    /// {"error": {"kind", "text", ...}}.
    #[arg(long, global = true, help_heading = "Options")]
    json: bool,
}

/// The command's name, which is not the package's.
const NAME: &str = "openreplay-elastic";

const AFTER_HELP: &str = "\
Environment:
  ELASTICSEARCH_URL        the address, or several separated by commas; --url overrides it
  ELASTICSEARCH_API_KEY    an encoded API key; overrides ELASTICSEARCH_USER; --user and
                           --password-file override it
  ELASTICSEARCH_USER       the user's name
  ELASTICSEARCH_PASSWORD   the user's password
  ELASTICSEARCH_CLOUD_ID   an Elastic Cloud id, instead of the address
  HTTP_PROXY, HTTPS_PROXY, ALL_PROXY
                           the http proxy for requests, such as http://proxy:3128;
                           not used for loopback addresses
  NO_PROXY                 hosts that need no proxy, separated by commas
  NO_COLOR                 disables colours, even on a terminal

Signals:
  `ship` and `serve` stop within 5 seconds on SIGTERM and SIGINT, even as the first
  process of a container. On SIGHUP, `ship` rereads --api-key-file and --password-file,
  or stops if it runs on a terminal.

Time limits:
  A node has 5 seconds to accept a connection; then the next node is tried. A request
  has 30 seconds (--request-timeout), including its response. After that, `ship` sends
  smaller requests, and every other command fails.

Exit codes:
  0  done, or no problem found
  1  failure: Elasticsearch is unreachable or rejects the request, a file cannot be
     read, or the panel would show nothing of what `logs` found
  2  wrong usage
  3  something is in the way, such as another `logs`; nothing was changed
  4  `check` found a problem that keeps rows from appearing
  5  `logs` found no record of the session
  6  `ship --once` or `ship -` sent records that Elasticsearch rejected
  7  `ship --once` or `export` could not read a file; the others are done
  8  `logs` cannot show all rows correctly: a shard did not respond, a day of the
     store is damaged, or records have faults
  128 + N  signal N stopped `ship --once` before it was done, or `ship` or `serve`
     because stopping took longer than 5 seconds or a second signal arrived;
     acknowledged records are safe";

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return misused(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(args.command.run(&args.connect, args.json));
            // A blocked read must not delay the end of the process.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(error.into()),
    };
    exit::code(outcome, args.json, args.connect.passed_over())
}

/// Returns the whole command, for completions and the man page.
pub(crate) fn command() -> clap::Command {
    Args::command()
}

/// Prints clap's error, and returns its exit code: 0 for help and the version.
fn misused(error: &clap::Error) -> ExitCode {
    let has_json = || env::args_os().any(|arg| arg == "--json");
    // the reader may have closed the pipe
    let _ = error.print();
    if error.use_stderr() && has_json() {
        let text = error.render().to_string();
        let text = text.trim_start_matches("error: ").trim_end();
        let _ = print::json(&Failure::Usage(text.to_owned()).json());
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
