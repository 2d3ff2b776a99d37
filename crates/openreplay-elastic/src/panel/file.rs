use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use super::{Level, Row, rows};
use crate::error::{Error, Kind};

/// A session's records in a file of lines.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FileRows {
    /// The records of the session, in the file's order.
    pub rows: Vec<Row>,
    /// Lines that are no JSON object.
    pub not_json: u64,
    /// Records of the session that the panel would break on: without a `level`.
    pub unreadable: u64,
}

/// Reads a file of records, one JSON object a line, and keeps those of the session, as Elasticsearch would find them.
///
/// # Errors
///
/// Where the file cannot be read.
pub fn read_file(path: &Path, id: &str) -> Result<FileRows, Error> {
    let failed = |error| {
        Error::new(Kind::Io, format!("{} cannot be read", path.display())).with_source(error)
    };
    let file = BufReader::new(File::open(path).map_err(failed)?);
    let mut found = FileRows::default();
    for line in file.split(b'\n') {
        let line = line.map_err(failed)?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<Value>(&line) {
            Ok(record @ Value::Object(_)) => found.take(&record, id),
            _ => found.not_json += 1,
        }
    }
    Ok(found)
}

impl FileRows {
    fn take(&mut self, record: &Value, id: &str) {
        let message = record.get("message").and_then(Value::as_str);
        if message.and_then(session_of) != Some(id) {
            return;
        }
        match rows(std::slice::from_ref(record)) {
            Ok(row) => self.rows.extend(row),
            Err(_) => self.unreadable += 1,
        }
    }

    /// How many of the rows are marked as errors.
    pub fn errors(&self) -> usize {
        let errors = self.rows.iter().filter(|row| row.level == Level::Error);
        errors.count()
    }
}

/// The session that a message names first.
pub fn session_of(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("openReplaySession.id=")?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}
