use std::io;

use openreplay_elastic::admin::rotate::{self, RotateOptions, Rotation};
use openreplay_elastic::admin::{Age, Engine, Flavor, Size};
use serde_json::json;

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, BOLD, GREEN, one_line};

/// Roll `logs` over to a new index, and delete old ones
///
/// Run it regularly, with cron or a timer, unless Elasticsearch's own lifecycle
/// management does this:
///
///   openreplay-elastic rotate --max-age 1d --max-size 20gb --keep 14d
///
/// It rolls over if one of the conditions holds, or at once if none is given, and
/// waits some seconds until the new index accepts records. It uses aliases only, and
/// concurrent runs roll over only once. It deletes only indices with the layout of
/// `setup`, and never the write index. It needs the cluster privilege monitor, and
/// manage on `logs` and logs-*.
///
/// An AGE is a whole number and d, h, m (minutes) or s; a SIZE is a whole number and
/// b, kb, mb, gb or tb, powers of 1024.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Roll over once the index is older than this, such as 1d [default: age is ignored]
    #[arg(long, value_name = "AGE")]
    max_age: Option<Age>,

    /// Roll over once the index is larger than this, such as 20gb [default: size is ignored]
    #[arg(long, value_name = "SIZE")]
    max_size: Option<Size>,

    /// Delete indices whose last record is older than this, such as 14d; at least 1h [default:
    /// delete nothing]
    #[arg(long, value_name = "AGE")]
    keep: Option<Age>,
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        let client = connect.client()?;
        // the credentials may lack the privilege for that request
        let engine = Engine::detect(&client).await.ok();
        if engine.is_some_and(|engine| engine.flavor == Flavor::Store) {
            if json {
                print::json(
                    &json!({"from": "logs-000001", "to": null, "ready": true, "removed": []}),
                )?;
            }
            print::note("openreplay-store deletes old days on its own; there is nothing to rotate");
            return Ok(Outcome::Done);
        }
        let done = rotate::run(&client, &self.options()).await?;
        if json {
            print::json(
                &json!({"from": done.from, "to": done.to, "ready": done.is_ready, "removed": done.removed}),
            )?;
        } else {
            show(&done)?;
        }
        Ok(Outcome::Done)
    }

    fn options(&self) -> RotateOptions {
        let mut options = RotateOptions::default();
        if let Some(age) = self.max_age {
            options = options.max_age(age);
        }
        if let Some(size) = self.max_size {
            options = options.max_size(size);
        }
        if let Some(age) = self.keep {
            options = options.retain_for(age);
        }
        options
    }
}

fn show(done: &Rotation) -> io::Result<()> {
    let from = one_line(&done.from);
    match &done.to {
        Some(to) => print::line(&format!(
            "{GREEN}ok{GREEN:#}  rolled `logs` over from {from} to {BOLD}{}{BOLD:#}",
            one_line(to)
        ))?,
        None => print::line(&format!(
            "{GREEN}ok{GREEN:#}  `logs` continues to write to {from}"
        ))?,
    }
    if !done.is_ready {
        print::warning(
            "the new index accepts no records yet; senders keep theirs and retry; for the reason, run `openreplay-elastic check`",
        );
    }
    for index in &done.removed {
        print::line(&format!(
            "{GREEN}ok{GREEN:#}  {} is removed",
            one_line(index)
        ))?;
    }
    Ok(())
}
