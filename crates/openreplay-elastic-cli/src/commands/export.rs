use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use openreplay_store::{Record, Store};

use crate::exit::{Failure, Outcome};
use crate::print;

/// Write all records of a store to standard output, one JSON object per line
///
/// The records come as OpenReplay gets them, the earliest day first. Use it to move
/// to Elasticsearch:
///
///   openreplay-elastic export --data /var/lib/openreplay-store > records.ndjson
///   openreplay-elastic ship --once records.ndjson
///
/// The store may be in use. Records that arrive in the meantime may be left out.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The store's folder [default: none, so it must be given]
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let store = Store::builder(&self.data).open_to_read()?;
        let mut out = BufWriter::new(io::stdout().lock());
        let written = store.export(|record: Record| {
            // In JSON, a line feed can only be white space: strings escape it.
            let line = record.to_source().replace('\n', " ");
            writeln!(out, "{line}").map_err(Failure::Io)
        });
        match written.and_then(|()| out.flush().map_err(Failure::Io)) {
            // a reader such as `head` has closed the pipe
            Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
            done => done?,
        }
        let records = print::count(store.total(), "record", "records");
        print::note(&format!("{records} in {}", print::path(&self.data)));
        Ok(Outcome::Done)
    }
}
