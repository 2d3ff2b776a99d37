use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use openreplay_elastic::admin::panel::{self, Level, Row};
use openreplay_record::panel::RecordFault;
use openreplay_session::SessionId;
use openreplay_store::Store;
use serde_json::{Value, json};

use super::faults;
use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, DIM, RED, YELLOW, one_line};

/// OpenReplay requests no more than this.
const SHOWN: usize = 1_000;

/// Print a session's records as OpenReplay's panel shows them
///
/// A row has the time (UTC), the level, and the first line of the message, as the
/// panel shows it until the row is opened. At most 1,000 rows are printed, in the
/// order of Elasticsearch's response, which the panel does not sort. For files, they
/// are the earliest 1,000, in time order, as if `ship` had stored the files in the
/// `logs` alias of `setup`.
///
/// The exit code is 5 if there is no row, 1 if a record would break the panel, and 8
/// if rows may be missing because a shard did not respond or a day of the store is
/// damaged, or if records have a fault, such as a missing time.
///
/// Examples:
///
///   openreplay-elastic logs 4950498349085463837
///   openreplay-elastic logs 4950498349085463837 --file app.log --open
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The session's id, as tracker.getSessionID() returns it
    session: String,

    /// Read files of records, one JSON object per line, instead of querying Elasticsearch; can be
    /// repeated. Files may be compressed with gzip or zstd.
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,

    /// Read the store in this folder instead of querying a server; the store may be in use
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    data: Option<PathBuf>,

    /// Show every line of each message, as an opened row does
    #[arg(long)]
    open: bool,
}

/// The records of a session.
struct SessionRecords {
    sources: Vec<Value>,
    total: u64,
    /// Records that name the session, but not where OpenReplay searches.
    not_found: Vec<Value>,
    /// Why rows may be missing.
    incomplete: Option<String>,
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        let session = super::session(&self.session)?;
        let found = match &self.data {
            Some(folder) => in_store(folder, &session)?,
            None if self.file.is_empty() => request(connect, &session).await?,
            None => self.read(&session)?,
        };
        let is_faulty = report_faults(&found);
        let rows = rows(&found.sources)?;
        if json {
            print_json(&session, &rows, &found)?;
        } else {
            self.show_all(&rows, found.total)?;
        }
        if session.as_u64().is_none() {
            print::note(&format!(
                "OpenReplay never requests {session}: its session ids are 64-bit numbers without leading zeros"
            ));
        }
        if let Some(text) = &found.incomplete {
            print::warning(&format!("rows may be missing: {text}"));
        } else if rows.is_empty() {
            print::note(&self.no_record(&session));
            return Ok(Outcome::NoRecord);
        }
        Ok(if found.incomplete.is_some() || is_faulty {
            Outcome::Incomplete
        } else {
            Outcome::Done
        })
    }

    fn no_record(&self, session: &SessionId) -> String {
        let hint = if self.data.is_none() && self.file.is_empty() {
            format!("to see why: openreplay-elastic check {session}")
        } else {
            format!("no `message` contains openReplaySession.id={session}")
        };
        format!("no record of session {session}; {hint}")
    }

    fn read(&self, session: &SessionId) -> Result<SessionRecords, Failure> {
        let mut records = Vec::new();
        let mut not_found = Vec::new();
        for path in &self.file {
            let mut found = panel::read_file(path, session)?;
            records.append(&mut found.records);
            not_found.append(&mut found.not_found);
            if found.not_json > 0 {
                let lines = print::count(
                    found.not_json,
                    "line is not a JSON object and is read as a message",
                    "lines are not JSON objects and are read as messages",
                );
                print::note(&format!("{}: {lines}", print::path(path)));
            }
        }
        Ok(SessionRecords {
            total: records.len() as u64,
            sources: panel::earliest_first(records),
            not_found,
            incomplete: None,
        })
    }

    fn show_all(&self, rows: &[Row], total: u64) -> Result<(), Failure> {
        for row in rows {
            self.show(row)?;
        }
        let shown = rows.len();
        if total > shown as u64 {
            print::note(&format!(
                "OpenReplay shows these {shown} of {total} records"
            ));
        }
        Ok(())
    }

    fn show(&self, row: &Row) -> Result<(), Failure> {
        let style = match row.level {
            Level::Error => RED,
            Level::Warning => YELLOW,
            Level::Info => anstyle::Style::new(),
            Level::Debug => DIM,
        };
        let time = match row.time.map(jiff::Timestamp::try_from) {
            // further digits are cut off, as in a browser
            Some(Ok(time)) => format!("{time:.3}"),
            _ => one_line(&row.time_text),
        };
        print::line(&format!(
            "{DIM}{time}{DIM:#}  {style}{:<7}{style:#}  {}",
            row.level,
            one_line(row.first_line())
        ))?;
        if self.open {
            for line in row.message.split('\n').skip(1) {
                print::line(&format!("{:35}{}", "", one_line(line)))?;
            }
        }
        Ok(())
    }
}

fn print_json(session: &SessionId, rows: &[Row], found: &SessionRecords) -> io::Result<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| json!({"time": row.time_text, "level": row.level.as_str(), "message": row.message}))
        .collect();
    print::json(&json!({
        "session": session.as_str(),
        "total": found.total,
        "rows": rows,
        "incomplete": found.incomplete,
    }))
}

/// Prints the faults of the records, with the same texts as `check` and `ship`. Returns whether any
/// fault is more than a hint.
fn report_faults(found: &SessionRecords) -> bool {
    let of = found.sources.len() + found.not_found.len();
    let all = || found.sources.iter().chain(&found.not_found);
    let mut is_faulty = false;
    for fault in RecordFault::ALL {
        let count = all()
            .filter(|record| RecordFault::of(record).contains(&fault))
            .count();
        if count > 0 {
            is_faulty |= !fault.is_hint();
            print::note(&faults::line(fault, count as u64, of as u64));
        }
    }
    is_faulty
}

async fn request(connect: &ConnectArgs, session: &SessionId) -> Result<SessionRecords, Failure> {
    let result = panel::session(&connect.client()?, session).await?;
    Ok(SessionRecords {
        sources: result.sources(),
        total: result.total,
        not_found: Vec::new(),
        incomplete: result.incomplete(),
    })
}

/// Reads the records that OpenReplay would get from the store in a folder.
fn in_store(folder: &Path, session: &SessionId) -> Result<SessionRecords, Failure> {
    let problems = Arc::<Mutex<Vec<String>>>::default();
    let reported = Arc::clone(&problems);
    let builder = Store::builder(folder).on_diagnostic(move |text| {
        let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.push(text.to_owned());
    });
    let store = builder.open_to_read()?;
    let records = store.session(session, SHOWN)?;
    let sources = records
        .iter()
        .map(|record| serde_json::from_str(&record.to_source()));
    // the store contains only JSON objects
    let sources = sources.collect::<Result<_, _>>().map_err(io::Error::from)?;
    let total = store.count(session)?;
    let problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(SessionRecords {
        sources,
        total,
        not_found: Vec::new(),
        incomplete: (!problems.is_empty()).then(|| problems.join("; ")),
    })
}

fn rows(records: &[Value]) -> Result<Vec<Row>, Failure> {
    panel::rows(records).map_err(|unreadable| {
        Failure::Panel(format!(
            "the panel would show nothing: {unreadable}; give every record a `level` of error, warning, info or debug, and a `message`"
        ))
    })
}
