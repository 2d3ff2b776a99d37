use std::io;

use openreplay_elastic::admin::Flavor;
use openreplay_elastic::admin::setup::{self, LogsChange, SetupOptions, SetupReport};
use serde_json::json;

use super::check;
use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, BOLD, GREEN, YELLOW, one_line};

/// Create the `logs` alias and its first index, sorted by time
///
/// It creates an index template and, behind the alias `logs`, the index
/// logs-000001 with one initial record, which "Add" in OpenReplay's form needs. It
/// is safe to rerun: it updates the template and restores a missing write index. If
/// `logs` already is something else, it changes nothing, prints what it found and
/// what you can do, and ends with exit code 3.
///
/// It needs the cluster privileges monitor and manage_index_templates, and all
/// privileges on `logs`, logs-* and the indices of `--also`.
///
/// Examples:
///
///   openreplay-elastic setup --url http://localhost:9200
///   openreplay-elastic setup --also app-logs-2025
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Also put this existing index behind `logs`, so that OpenReplay reads it; can be repeated. An
    /// index that OpenReplay cannot read is rejected: `message` must be analysed text, and each
    /// record of a session needs a `level` [default: none]
    #[arg(long, value_name = "NAME")]
    also: Vec<String>,
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        let options = self
            .also
            .iter()
            .fold(SetupOptions::default(), SetupOptions::also);
        let done = setup::run(&connect.client()?, &options).await?;
        if json {
            print::json(&json!({
                "engine": done.engine.to_string(),
                "created": done.change == LogsChange::Created,
                "repaired": done.change == LogsChange::Repaired,
                "write_index": done.write_index,
                "added": done.added,
                "first_record": done.first_record,
                "findings": check::findings(&done.findings),
            }))?;
            return Ok(Outcome::Done);
        }
        if done.engine.flavor == Flavor::Store {
            print::line(&format!(
                "{GREEN}ok{GREEN:#}  {}: `logs` exists and needs no setup",
                one_line(&done.engine.to_string())
            ))?;
            return Ok(Outcome::Done);
        }
        show(&done)?;
        print::note("next: openreplay-elastic api-key");
        Ok(Outcome::Done)
    }
}

fn show(done: &SetupReport) -> io::Result<()> {
    let what = match done.change {
        LogsChange::Created => "created `logs`, which writes to",
        LogsChange::Repaired => "restored the write index of `logs`:",
        _ => "`logs` exists and writes to",
    };
    print::line(&format!(
        "{GREEN}ok{GREEN:#}  {}: {what} {BOLD}{}{BOLD:#}",
        one_line(&done.engine.to_string()),
        one_line(&done.write_index)
    ))?;
    for index in &done.added {
        print::line(&format!(
            "{GREEN}ok{GREEN:#}  added {} behind `logs`",
            one_line(index)
        ))?;
    }
    for finding in &done.findings {
        check::show(finding)?;
    }
    if done.first_record {
        print::line(&format!(
            "{GREEN}ok{GREEN:#}  wrote an initial record, so that \"Add\" in OpenReplay's form can pass"
        ))?;
    }
    if done.engine.flavor == Flavor::OpenSearch {
        print::note(&format!(
            "{YELLOW}note:{YELLOW:#} OpenReplay's client rejects OpenSearch, unless a proxy in front adds `X-Elastic-Product: Elasticsearch`"
        ));
    }
    Ok(())
}
