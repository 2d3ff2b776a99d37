use std::io;

use openreplay_elastic::admin::check::{self, Finding, Report};
use openreplay_session::SessionId;
use serde_json::{Value, json};

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, BOLD, DIM, GREEN, RED, YELLOW, one_line, paragraph};

/// Send OpenReplay's requests, and print what keeps a row from appearing
///
/// Set ELASTICSEARCH_API_KEY to OpenReplay's key. The command sends the request of
/// "Add" in OpenReplay's form, then the query for the records of a session: the given
/// one, or that of the latest record. It also examines whether the index behind `logs`
/// accepts records, as far as the credentials allow, and prints what it could not
/// examine. It prints each problem with its fix, and changes nothing.
///
/// The exit code is 4 if a problem keeps rows from appearing, and 0 if there are only
/// hints.
///
/// Examples:
///
///   openreplay-elastic check
///   openreplay-elastic check 4950498349085463837
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The session's id, as tracker.getSessionID() returns it
    session: Option<String>,
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        let session = self.session.as_deref().map(super::session).transpose()?;
        let report = check::run(&connect.client()?, session.as_ref()).await?;
        let outcome = if report.is_good() {
            Outcome::Done
        } else {
            Outcome::Faults
        };
        if json {
            print::json(&json!({
                "good": report.is_good(),
                "add_passes": report.add_passes,
                "session": report.session.as_ref().map(SessionId::as_str),
                "records": report.records,
                "findings": findings(&report.findings),
                "unexamined": report.unexamined,
            }))?;
        } else {
            show_report(&report)?;
        }
        Ok(outcome)
    }
}

fn show_report(report: &Report) -> io::Result<()> {
    if report.add_passes {
        print::line(&format!(
            "{GREEN}ok{GREEN:#}     \"Add\" in OpenReplay's form passes"
        ))?;
    } else {
        print::line(&format!(
            "{RED}wrong{RED:#}  \"Add\" in OpenReplay's form fails"
        ))?;
    }
    if let Some(session) = report.session.filter(|_| report.records > 0) {
        print::line(&format!(
            "{GREEN}ok{GREEN:#}     session {session}: {}",
            print::count(report.records, "record", "records")
        ))?;
    }
    for finding in &report.findings {
        show(finding)?;
    }
    if !report.unexamined.is_empty() {
        print::line(&format!(
            "{DIM}--     not examined, since these credentials do not allow it: {}{DIM:#}",
            one_line(&report.unexamined.join(", "))
        ))?;
    }
    Ok(())
}

pub(super) fn findings(findings: &[Finding]) -> Vec<Value> {
    findings
        .iter()
        .map(|finding| {
            json!({
                "fault": finding.fault.name(),
                "hint": finding.fault.is_hint(),
                "text": finding.text,
                "remedy": finding.remedy,
            })
        })
        .collect()
}

pub(super) fn show(finding: &Finding) -> io::Result<()> {
    let (style, mark) = mark(finding.fault.is_hint());
    print::line(&format!(
        "{style}{mark}{style:#}  {BOLD}{}{BOLD:#} {DIM}-{DIM:#} {}",
        paragraph(&finding.text),
        paragraph(&finding.remedy)
    ))
}

/// Returns the style and the first word of a line that reports a fault.
pub(super) fn mark(is_hint: bool) -> (anstyle::Style, &'static str) {
    if is_hint {
        (YELLOW, "hint ")
    } else {
        (RED, "wrong")
    }
}
