use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use openreplay_record::{field, names_session, panel};
use openreplay_session::SessionId;
use serde_json::Value;

use super::search::LIMIT;
use crate::document::{Stored, minimal, record_from, record_of_line};
use crate::envelope::{Format, Join};
use crate::shallow::{self, Source};
use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;

/// A session's records in a file of lines.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FileRecords {
    /// The records of the session, in the file's order.
    pub records: Vec<Value>,
    /// Lines that are not JSON objects. Each is a record all the same, and the line is its message.
    pub not_json: u64,
    /// Records that name the session, but not in their `message`, where OpenReplay searches; one in
    /// tracing's own JSON form, for example.
    pub not_found: Vec<Value>,
}

/// Reads a file of records, one JSON object per line, and keeps those of the session, as
/// Elasticsearch would find them after [`ship`](crate::ship) had stored them. Lines of a
/// container's runtime or of the journal are unwrapped, as by `ship`. With the feature `ship`, the
/// file may be compressed with gzip or zstd.
///
/// # Errors
///
/// Returns an error if the file cannot be read, or if its compressed data is damaged or ends early.
pub fn read_file(path: &Path, id: &SessionId) -> Result<FileRecords, Error> {
    let failed = |error| {
        Error::new(ErrorKind::Io, format!("{} cannot be read", path.display())).with_source(error)
    };
    let file = BufReader::new(open(path).map_err(failed)?);
    let mut lines = Lines::new(id);
    let mut offset = 0;
    for line in file.split(b'\n') {
        let line = line.map_err(failed)?;
        lines.line(&line, offset);
        offset += line.len() as u64 + 1;
    }
    Ok(lines.found)
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    #[cfg(feature = "ship")]
    if file.metadata()?.is_file() {
        return Ok(Box::new(crate::ship::Text::of(file)?));
    }
    Ok(Box::new(file))
}

/// The lines of one file, which can be wrapped and split by a container's runtime.
struct Lines<'a> {
    id: &'a SessionId,
    join: Join<()>,
    found: FileRecords,
}

impl<'a> Lines<'a> {
    fn new(id: &'a SessionId) -> Self {
        Self {
            id,
            join: Join::default(),
            found: FileRecords::default(),
        }
    }

    fn line(&mut self, line: &[u8], offset: u64) {
        let Some(piece) = Format::Auto.unwrap(line) else {
            self.stored(record_of_line(line, offset));
            return;
        };
        let whole = self.join.take(piece, ());
        for line in whole.into_iter().chain(self.join.take_over()) {
            self.stored(record_from(&line.text, &line.origin));
        }
    }

    fn stored(&mut self, stored: Option<Stored<'_>>) {
        let Some(stored) = stored else { return };
        self.found.not_json += u64::from(stored.is_wrapped);
        let Some(record) = document(&stored.document) else {
            return;
        };
        let is_named_in = |name: &str| {
            let text = record.members.pointer(name).and_then(Value::as_str);
            text.is_some_and(|text| names_session(text, self.id))
        };
        if is_named_in("/message") {
            self.found.records.push(record.members);
        } else if is_named_in("/fields/message") {
            self.found.not_found.push(record.members);
        }
    }
}

/// What is stored of a record: one that Elasticsearch rejects is sent once more, with the fixed
/// fields only.
fn document(document: &[u8]) -> Option<Source> {
    let record = shallow::from_slice(document);
    record
        .or_else(|_| shallow::from_slice(&minimal(document)))
        .ok()
}

/// The records that OpenReplay would get of these, if they were behind the `logs` that
/// [`setup`](crate::admin::setup) makes: the earliest thousand in the order of their times, those
/// without one last.
pub fn earliest_first(mut records: Vec<Value>) -> Vec<Value> {
    records.sort_by_cached_key(|record| {
        let time = panel::time(record.get(field::TIMESTAMP));
        (time.is_none(), time)
    });
    records.truncate(LIMIT);
    records
}
