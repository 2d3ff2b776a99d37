use std::env;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use openreplay_elastic::ship::{Progress, ShipOptions, Shipper};
use serde_json::json;

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, GREEN, RED, YELLOW, tame};

/// Follows files of records and delivers each complete line once
///
/// A file holds one JSON object a line, as tracing_openreplay::json() writes
/// them; any other line becomes the message of a record. Rotated and truncated
/// files are followed. It can be stopped, or killed, at any moment: the next run
/// goes on where this one was, and sends nothing twice. A file that cannot be
/// read is named on standard error, once, and tried again.
///
/// Quote patterns, so that files that come later are found too, and let them
/// match the names that a rotation gives:
///
///   openreplay-elastic ship '/var/log/app/*.log*'
///   openreplay-elastic ship --once 'old/**/*.log'    all that is there, then end
///
/// Names that end in .gz, .zst, .bz2, .xz or .lz4 are left out. It takes an API
/// key that may add records: openreplay-elastic api-key --writer
///
/// A line counts from its line feed on. `--once` takes what is there when it
/// starts, and a last line without a line feed too, if that is a whole JSON
/// object; what comes later, or is half a line, is left for the next run.
///
/// `--once` fails where Elasticsearch cannot be reached, does not answer, or does
/// not allow it, when it starts; later that is said on standard error and tried
/// again, as it always is without `--once`. It ends with exit code 6 where
/// Elasticsearch refused records, and with 7 where a file could not be read.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Files, or patterns of them with * ? [...] and **
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// Ends when all that was there at the start has been delivered, showing how far it is on a terminal
    /// [default: goes on following]
    #[arg(long)]
    once: bool,

    /// Where it keeps what was delivered; each shipper and each Elasticsearch needs one of its own
    /// [default: ship.json in $STATE_DIRECTORY, or openreplay-elastic/ship.json in $XDG_STATE_HOME, ~/.local/state,
    /// or %LOCALAPPDATA% on Windows]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Compresses what is sent: 1 is fast, 9 is small [default: not compressed]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u32).range(1..=9))]
    gzip: Option<u32>,
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        let checkpoint = self
            .checkpoint
            .clone()
            .or_else(default_checkpoint)
            .ok_or_else(|| {
                Failure::Usage("no place to keep what was delivered: give --checkpoint".to_owned())
            })?;
        let mut options = self
            .files
            .iter()
            .fold(ShipOptions::new(checkpoint), ShipOptions::file);
        if let Some(level) = self.gzip {
            options = options.gzip(level);
        }
        let shipper = Shipper::open(connect.client()?, options)?;
        if !self.once {
            let url = connect.shown_url()?;
            let mut is_start = true;
            let said = |progress: &Progress| {
                if std::mem::take(&mut is_start) {
                    let Progress {
                        bytes, bytes_done, ..
                    } = progress;
                    print::note(&format!(
                        "following {bytes} bytes, {bytes_done} of them delivered before; the rest, and what comes, goes to {url}"
                    ));
                }
            };
            match shipper.follow(said).await? {}
        }
        // it draws on standard error, and only where that is a terminal
        let bar = ProgressBar::new(0).with_style(style());
        let shipped = shipper.run_once(|progress| show(&bar, progress)).await?;
        bar.finish_and_clear();
        report(&shipped, json)?;
        Ok(if !shipped.unreadable.is_empty() {
            Outcome::Unreadable
        } else if shipped.rejected > 0 {
            Outcome::Refused
        } else {
            Outcome::Done
        })
    }
}

fn report(shipped: &Progress, json: bool) -> Result<(), Failure> {
    if json {
        let unreadable = shipped.unreadable.iter();
        let unreadable: Vec<_> = unreadable
            .map(|file| json!({"path": file.path.display().to_string(), "why": file.reason}))
            .collect();
        return Ok(print::json(&json!({
            "bytes": shipped.bytes,
            "bytes_done": shipped.bytes_done,
            "stored": shipped.stored,
            "refused": shipped.rejected,
            "wrapped": shipped.wrapped,
            "unfinished": shipped.unfinished,
            "unreadable": unreadable,
        }))?);
    }
    print::line(&format!(
        "{GREEN}ok{GREEN:#}  {} records are stored",
        shipped.stored
    ))?;
    let rest = [
        (
            shipped.wrapped,
            "lines were no JSON objects, and are stored as messages",
        ),
        (
            shipped.rejected,
            "records were refused by Elasticsearch, in their shortest form too",
        ),
        (
            shipped.unfinished,
            "files end within a line, which is left for later",
        ),
    ];
    for (count, what) in rest {
        if count > 0 {
            print::line(&format!("{YELLOW}--{YELLOW:#}  {count} {what}"))?;
        }
    }
    for file in &shipped.unreadable {
        let path = file.path.display().to_string();
        print::line(&format!(
            "{RED}--{RED:#}  {} could not be read: {}",
            tame(&path),
            tame(&file.reason)
        ))?;
    }
    Ok(())
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
    // systemd's StateDirectory= names one of the service's own
    if let Some(own) = folder("STATE_DIRECTORY") {
        return Some(own.join("ship.json"));
    }
    let own = || match cfg!(windows) {
        true => folder("LOCALAPPDATA"),
        false => folder("HOME").map(|home| home.join(".local/state")),
    };
    let state = folder("XDG_STATE_HOME").or_else(own)?;
    Some(state.join("openreplay-elastic/ship.json"))
}
