use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use openreplay_elastic::Client;
use openreplay_elastic::ship::{self, Progress, ShipOptions, Shipper};
use serde_json::{Value, json};

use super::following::Reports;
use super::stop::until_stopped;
use super::{input, summary};
use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, RED};
use crate::signals::{self, Signals};

/// Follow files of records, and deliver each complete line once
///
/// A file holds one JSON object per line, as tracing_openreplay::json() writes
/// them; any other line becomes the message of a record. Rotated and truncated
/// files are followed. `ship` can be stopped or killed at any moment: the next run
/// continues where this one ended, and sends nothing twice. A file that cannot be
/// read is reported once on standard error and retried.
///
/// Quote patterns, so that new files are found, too, and let them match the names
/// that a rotation gives the files:
///
///   openreplay-elastic ship '/var/log/app/*.log*'
///   openreplay-elastic ship --once 'old/**/*.log'    all existing files, then end
///
/// What a container runtime (Kubernetes, Docker) or the journal puts around a line
/// is removed, and the pieces of long lines are joined. --format selects the form:
///
///   openreplay-elastic ship '/var/log/pods/shop_*/*/*.log*'
///
/// `-` is standard input, such as an app's output. Each line is delivered at least
/// once. `ship` ends at the end of the input, at most 5 seconds after SIGTERM. --tee
/// copies the input to standard output:
///
///   shop | openreplay-elastic ship --tee -
///   journalctl --follow --all --output=json --unit=shop | openreplay-elastic ship -
///
/// Files compressed with gzip or zstd are read, whatever their name is. A file that
/// a rotation compresses continues where it was, so let the pattern match the
/// compressed files too.
///
/// `ship` skips and reports files with other compression, pipes, devices, linked
/// folders, and links whose owner does not own the target. It needs an API key that
/// may add records: openreplay-elastic api-key --writer
///
/// With --json, and without `--once`, each change of state is an object on
/// standard output. Under systemd, use Type=notify.
///
/// A line is complete at its line feed. `--once` delivers what the files hold when
/// it starts, including a last line without a line feed if it is a whole JSON
/// object. Later lines and incomplete ones are left for the next run.
///
/// `--once` fails if Elasticsearch is unreachable, does not respond or rejects the
/// credentials at the start. Later failures are reported on standard error and
/// retried, as always without `--once`. The exit code is 6 if Elasticsearch rejected
/// records, and 7 if a file could not be read.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Files, or patterns of them with * ? [...] and **; or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<OsString>,

    /// End once everything that the files held at the start is delivered, with a progress bar on a
    /// terminal [default: follow the files]
    #[arg(long)]
    once: bool,

    /// The file that stores what was delivered; use a separate file for each shipper and each
    /// cluster [default: ship.json in $STATE_DIRECTORY, or openreplay-elastic/ship.json in
    /// $XDG_STATE_HOME, ~/.local/state, or %LOCALAPPDATA% on Windows]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// What a runtime puts around each line
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    /// Copy standard input to standard output
    #[arg(long, conflicts_with_all = ["once", "checkpoint"])]
    tee: bool,

    /// Follow all symbolic links, and enter linked folders. Without it, a link is followed only if
    /// root or the user of this process owns it, or if its owner also owns what it leads to
    /// [default: off]
    #[arg(long)]
    follow_links: bool,

    /// Compress requests: 1 is fast, 9 is small [default: not compressed]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u32).range(1..=9))]
    gzip: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Recognise each of these, line by line
    Auto,
    /// Nothing: a line is a record, or the message of one
    Plain,
    /// Kubernetes' runtimes: 2026-07-01T12:00:00Z stdout F {...}
    Cri,
    /// Docker's logging driver json-file: {"log":"{...}\n","stream":"stdout","time":"..."}
    JsonFile,
    /// journalctl --output=json
    Journal,
}

impl From<Format> for ship::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Auto => Self::Auto,
            Format::Plain => Self::Plain,
            Format::Cri => Self::Cri,
            Format::JsonFile => Self::JsonFile,
            Format::Journal => Self::Journal,
        }
    }
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        if self.reads_input()? {
            return input::run(connect, self.format.into(), self.gzip, self.tee, json).await;
        }
        let options = self.options()?;
        let signals = signals::install()?;
        let client = connect.client()?;
        let shipper = Shipper::open(client.clone(), options)?;
        if self.once {
            return run_once(shipper, &signals, &client, json).await;
        }
        let reports = Reports::new(connect.shown_url()?, json);
        follow(shipper, reports, &signals, &client).await
    }

    /// Returns whether it reads standard input, which cannot be combined with files.
    fn reads_input(&self) -> Result<bool, Failure> {
        let names_input = self.files.iter().any(|file| file == "-");
        let wrong = match names_input {
            false if self.tee => "--tee copies standard input; pass `-` instead of files",
            true if self.files.len() > 1 => {
                "`-` reads standard input and cannot be combined with files; run a separate command for each"
            }
            true if self.once || self.checkpoint.is_some() => {
                "--once and --checkpoint do not apply to standard input; leave them out"
            }
            _ => return Ok(names_input),
        };
        Err(Failure::Usage(wrong.to_owned()))
    }

    fn options(&self) -> Result<ShipOptions, Failure> {
        let checkpoint = self
            .checkpoint
            .clone()
            .or_else(default_checkpoint)
            .ok_or_else(|| {
                Failure::Usage("no folder for the checkpoint; pass --checkpoint FILE".to_owned())
            })?;
        let options = self
            .files
            .iter()
            .fold(ShipOptions::new(checkpoint), ShipOptions::file)
            .format(self.format.into())
            .follow_links(self.follow_links);
        Ok(match self.gzip {
            Some(level) => options.gzip(level),
            None => options,
        })
    }
}

/// Follows the files until the signal to stop.
async fn follow(
    shipper: Shipper,
    mut reports: Reports,
    signals: &Signals,
    client: &Client,
) -> Result<Outcome, Failure> {
    let following = shipper.follow(|event| reports.report(&event));
    match until_stopped(following, signals, client).await {
        Ok(ended) => match ended? {},
        Err(_) => {
            print::note("stopped");
            Ok(Outcome::Done)
        }
    }
}

/// Delivers what the files hold, and prints the result.
async fn run_once(
    shipper: Shipper,
    signals: &Signals,
    client: &Client,
    json: bool,
) -> Result<Outcome, Failure> {
    // it draws on standard error, and only where that is a terminal
    let bar = ProgressBar::new(0).with_style(style());
    let shipping = shipper.run_once(|progress| show(&bar, progress));
    let shipped = until_stopped(shipping, signals, client).await;
    bar.finish_and_clear();
    let shipped = match shipped {
        Ok(shipped) => shipped?,
        Err(signal) => return Ok(Outcome::Stopped(signal)),
    };
    report(&shipped, json)?;
    Ok(if !shipped.unreadable.is_empty() {
        Outcome::Unreadable
    } else if shipped.rejected > 0 {
        Outcome::Rejected
    } else {
        Outcome::Done
    })
}

fn report(shipped: &Progress, json: bool) -> Result<(), Failure> {
    if json {
        return Ok(print::json(&as_json(shipped))?);
    }
    for line in summary::lines(shipped) {
        print::line(&line)?;
    }
    for file in &shipped.unreadable {
        print::line(&format!(
            "{RED}--{RED:#}  {} could not be read: {}",
            print::path(&file.path),
            print::one_line(&file.reason)
        ))?;
    }
    Ok(())
}

fn as_json(shipped: &Progress) -> Value {
    let unreadable = shipped.unreadable.iter();
    let unreadable: Vec<_> = unreadable
        .map(|file| json!({"path": file.path.display().to_string(), "why": file.reason}))
        .collect();
    json!({
        "bytes": shipped.bytes,
        "bytes_done": shipped.bytes_done,
        "stored": shipped.stored,
        "rejected": shipped.rejected,
        "wrapped": shipped.wrapped,
        "nuls": shipped.nuls,
        "faults": summary::faults(shipped),
        "unfinished": shipped.unfinished,
        "unreadable": unreadable,
    })
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.bytes);
    bar.set_position(progress.bytes_done);
    bar.set_message(progress.stored.to_string());
}

fn style() -> ProgressStyle {
    let template = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg} records";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn default_checkpoint() -> Option<PathBuf> {
    let folder = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    // systemd's StateDirectory= names folders of the service's own, with colons between them.
    if let Some(own) = env::var_os("STATE_DIRECTORY")
        .as_deref()
        .and_then(first_folder)
    {
        return Some(own.join("ship.json"));
    }
    let own = || {
        if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else {
            folder("HOME").map(|home| home.join(".local/state"))
        }
    };
    let state = folder("XDG_STATE_HOME").or_else(own)?;
    Some(state.join("openreplay-elastic/ship.json"))
}

fn first_folder(folders: &OsStr) -> Option<PathBuf> {
    let mut folders = env::split_paths(folders);
    folders.next().filter(|first| !first.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_checkpoint_is_in_the_first_of_systemds_folders() {
        for (folders, first) in [
            ("/var/lib/ship", Some("/var/lib/ship")),
            ("/var/lib/ship:/var/lib/other", Some("/var/lib/ship")),
            ("", None),
        ] {
            let expected = first.map(PathBuf::from);
            assert_eq!(first_folder(OsStr::new(folders)), expected, "{folders}");
        }
    }
}
