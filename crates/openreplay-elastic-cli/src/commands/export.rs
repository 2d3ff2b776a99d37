use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use openreplay_store::{Record, Store};

use crate::exit::{Failure, Outcome};
use crate::print;

/// Write all records of a store to standard output, one JSON object per line
///
/// The records are those that OpenReplay gets, the earliest day first. Use it to move
/// to Elasticsearch:
///
///   openreplay-elastic export --data /var/lib/openreplay-store > records.ndjson
///   openreplay-elastic ship --once records.ndjson
///
/// The store may be in use. Records that arrive in the meantime may be left out. If the
/// file of a day is damaged, the other days are written, and the exit code is 7.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The store's folder [required]
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        let is_damaged = Arc::<AtomicBool>::default();
        let damaged = Arc::clone(&is_damaged);
        let builder = Store::builder(&self.data).on_diagnostic(move |text| {
            print::warning(text);
            damaged.store(true, Ordering::Relaxed);
        });
        let store = builder.open_to_read()?;
        let mut count = 0;
        let mut out = BufWriter::new(io::stdout().lock());
        let written = store.export(|record: Record| {
            // In JSON, a line feed can only be white space: strings escape it.
            let line = record.to_source().replace('\n', " ");
            count += 1;
            writeln!(out, "{line}").map_err(Failure::Io)
        });
        match written.and_then(|()| out.flush().map_err(Failure::Io)) {
            // a reader such as `head` has closed the pipe
            Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
            done => done?,
        }
        let records = print::count(count, "record", "records");
        print::note(&format!("{records} from {}", print::path(&self.data)));
        Ok(if is_damaged.load(Ordering::Relaxed) {
            Outcome::Unreadable
        } else {
            Outcome::Done
        })
    }
}
