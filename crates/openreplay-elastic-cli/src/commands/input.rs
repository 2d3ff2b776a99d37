//! `ship -`: standard input.

use std::io;

use openreplay_elastic::ship::{Format, InputShipper, Progress};
use serde_json::json;

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, GREEN, YELLOW};
use crate::stop;

pub(super) async fn run(
    connect: &ConnectArgs,
    format: Format,
    gzip: Option<u32>,
    tee: bool,
    json: bool,
) -> Result<Outcome, Failure> {
    if tee && json {
        return Err(Failure::Usage(
            "--tee and --json both write to standard output: leave one out".to_owned(),
        ));
    }
    let stop = stop::stopped()?;
    let mut shipper = InputShipper::new(connect.client()?, gzip).format(format);
    if tee {
        shipper = shipper.copy_to(io::stdout());
    }
    let url = connect.shown_url()?;
    print::note(&format!("delivering standard input to {url}"));
    let shipped = shipper.run(io::stdin(), stop).await?;
    report(&shipped, tee, json)?;
    if shipped.undelivered > 0 {
        let left = format!(
            "{} records were read and are not delivered",
            shipped.undelivered
        );
        return Err(Failure::Io(io::Error::new(io::ErrorKind::TimedOut, left)));
    }
    Ok(match shipped.rejected {
        0 => Outcome::Done,
        _ => Outcome::Rejected,
    })
}

fn report(shipped: &Progress, tee: bool, json: bool) -> Result<(), Failure> {
    if json {
        return Ok(print::json(&json!({
            "stored": shipped.stored,
            "refused": shipped.rejected,
            "wrapped": shipped.wrapped,
            "undelivered": shipped.undelivered,
        }))?);
    }
    let mut lines = vec![format!(
        "{GREEN}ok{GREEN:#}  {} records are stored",
        shipped.stored
    )];
    for (count, what) in [
        (
            shipped.wrapped,
            "lines were not JSON objects, and are stored as messages",
        ),
        (
            shipped.rejected,
            "records were rejected by Elasticsearch, in their shortest form too",
        ),
    ] {
        if count > 0 {
            lines.push(format!("{YELLOW}--{YELLOW:#}  {count} {what}"));
        }
    }
    for line in lines {
        if tee {
            print::note(&line);
        } else {
            print::line(&line)?;
        }
    }
    Ok(())
}
