//! `ship -`: standard input.

use std::io;

use openreplay_elastic::ship::{Format, InputShipper, Progress};
use serde_json::json;

use super::stop::stopped;
use super::summary;
use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print;
use crate::signals;

pub(super) async fn run(
    connect: &ConnectArgs,
    format: Format,
    gzip: Option<u32>,
    tee: bool,
    json: bool,
) -> Result<Outcome, Failure> {
    if tee && json {
        return Err(Failure::Usage(
            "--tee and --json both write to standard output; use only one of them".to_owned(),
        ));
    }
    let signals = signals::install()?;
    let client = connect.client()?;
    let mut shipper = InputShipper::new(client.clone(), gzip).format(format);
    if tee {
        shipper = shipper.copy_to(io::stdout());
    }
    let url = connect.shown_url()?;
    print::note(&format!("delivering standard input to {url}"));
    let stop = async { _ = stopped(&signals, &client).await };
    let shipped = shipper.run(io::stdin(), stop).await?;
    report(&shipped, tee, json)?;
    if shipped.undelivered > 0 {
        let left = print::count(
            shipped.undelivered,
            "record was read but not delivered",
            "records were read but not delivered",
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
            "rejected": shipped.rejected,
            "wrapped": shipped.wrapped,
            "nuls": shipped.nuls,
            "faults": summary::faults(shipped),
            "undelivered": shipped.undelivered,
        }))?);
    }
    for line in summary::lines(shipped) {
        if tee {
            print::note(&line);
        } else {
            print::line(&line)?;
        }
    }
    Ok(())
}
