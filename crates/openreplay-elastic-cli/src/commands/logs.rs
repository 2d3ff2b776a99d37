use std::io;
use std::path::{Path, PathBuf};

use openreplay_elastic::admin::panel::{self, Level, Row};
use openreplay_session::SessionId;
use openreplay_store::Store;
use serde_json::{Value, json};

use crate::connect::ConnectArgs;
use crate::exit::{Failure, Outcome};
use crate::print::{self, DIM, RED, YELLOW, tame};

/// OpenReplay requests this many.
const SHOWN: usize = 1_000;

/// Print a session's records as OpenReplay's panel shows them
///
/// A row has the time (UTC), the level, and the first line of the message, which is
/// what OpenReplay shows until the row is opened. The rows come in Elasticsearch's
/// order, at most 1,000: the panel does not sort them. Files are read as if `ship`
/// had stored them in the `logs` of `setup`: the earliest 1,000, in time order. It
/// ends with exit code 5 if there is no row, and with 1 if a record would break the
/// panel, so that the panel shows nothing.
///
/// Examples:
///
///   openreplay-elastic logs 4950498349085463837
///   openreplay-elastic logs 4950498349085463837 --file app.log --open
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The session's id, as tracker.getSessionID() returns it.
    session: String,

    /// Read files of records, one JSON object per line, instead of querying Elasticsearch; can be
    /// repeated.
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,

    /// Read the store in this folder instead of querying a server; the store may be in use.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    data: Option<PathBuf>,

    /// Show every line of each message, as an opened row does.
    #[arg(long)]
    open: bool,
}

impl Args {
    pub(super) async fn run(&self, connect: &ConnectArgs, json: bool) -> Result<Outcome, Failure> {
        let session = super::session(&self.session)?;
        let (rows, total) = match &self.data {
            Some(folder) => in_store(folder, &session)?,
            None if self.file.is_empty() => ask(connect, &session).await?,
            None => self.read(&session)?,
        };
        if json {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| json!({"time": row.time_text, "level": row.level.as_str(), "message": row.message}))
                .collect();
            print::json(&json!({"session": session.as_str(), "total": total, "rows": rows}))?;
        } else {
            for row in &rows {
                self.show(row)?;
            }
            if total > rows.len() as u64 {
                print::note(&format!(
                    "OpenReplay shows these {} of {total} records",
                    rows.len()
                ));
            }
        }
        if session.as_u64().is_none() {
            print::note(&format!(
                "OpenReplay never asks for {session}: its session ids are 64-bit numbers without leading zeros"
            ));
        }
        if rows.is_empty() {
            print::note(&format!(
                "no record of session {session}; to see why: openreplay-elastic check {session}"
            ));
            return Ok(Outcome::NoRecord);
        }
        Ok(Outcome::Done)
    }

    fn read(&self, session: &SessionId) -> Result<(Vec<Row>, u64), Failure> {
        let mut records = Vec::new();
        for path in &self.file {
            let mut found = panel::read_file(path, session)?;
            records.append(&mut found.records);
            if found.not_json > 0 {
                print::note(&format!(
                    "{}: {} lines are no JSON objects, and are read as messages",
                    tame(&path.display().to_string()),
                    found.not_json
                ));
            }
        }
        let total = records.len() as u64;
        Ok((rows(&panel::earliest_first(records))?, total))
    }

    fn show(&self, row: &Row) -> Result<(), Failure> {
        let style = match row.level {
            Level::Error => RED,
            Level::Warning => YELLOW,
            Level::Info => anstyle::Style::new(),
            Level::Debug => DIM,
        };
        let time = match row.time.map(jiff::Timestamp::try_from) {
            // further digits are cut, as a browser does
            Some(Ok(time)) => format!("{time:.3}"),
            _ => tame(&row.time_text),
        };
        print::line(&format!(
            "{DIM}{time}{DIM:#}  {style}{:<7}{style:#}  {}",
            row.level,
            tame(row.first_line())
        ))?;
        if self.open {
            for line in row.message.split('\n').skip(1) {
                print::line(&format!("{:35}{}", "", tame(line)))?;
            }
        }
        Ok(())
    }
}

async fn ask(connect: &ConnectArgs, session: &SessionId) -> Result<(Vec<Row>, u64), Failure> {
    let asked = panel::session(&connect.client()?, session).await?;
    Ok((rows(&asked.sources())?, asked.total))
}

/// Reads what OpenReplay would get from the store in a folder.
fn in_store(folder: &Path, session: &SessionId) -> Result<(Vec<Row>, u64), Failure> {
    let store = Store::builder(folder).open_to_read()?;
    let records = store.session(session, SHOWN)?;
    let sources = records
        .iter()
        .map(|record| serde_json::from_str(&record.to_source()));
    // only objects are stored
    let sources: Vec<Value> = sources.collect::<Result<_, _>>().map_err(io::Error::from)?;
    Ok((rows(&sources)?, store.count(session)?))
}

fn rows(records: &[Value]) -> Result<Vec<Row>, Failure> {
    panel::rows(records).map_err(|unreadable| {
        Failure::Panel(format!(
            "the panel would show nothing: {unreadable}; give every record a `level` of error, warning, info or debug, and a `message`"
        ))
    })
}
