//! A line of a file, and the record that is stored of it.

use std::borrow::Cow;
use std::str;

use openreplay_record::{Level, Record, field, is_object, time};
use serde_json::json;

use super::members::Members;
use super::minimal::{MESSAGE, cut};
use crate::envelope::Origin;

/// The beginning that some editors and loggers of Windows give to a file.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What is stored of a line.
pub(crate) struct Stored<'a> {
    pub(crate) document: Cow<'a, [u8]>,
    /// The line is not a JSON object, and became the message of a record.
    pub(crate) is_wrapped: bool,
}

/// Returns the record that is stored of a line, given without its end; `None` for an empty line. A
/// line that is not a JSON object becomes the message of a record. NULs before a line are no part
/// of it.
pub(crate) fn record_of_line(line: &[u8], offset: u64) -> Option<Stored<'_>> {
    let line = without_mark(without_nuls(line), offset).trim_ascii_end();
    let object = line.trim_ascii_start();
    match object {
        [] => None,
        object if is_object(object) => Some(Stored::unchanged(object)),
        _ => {
            let message = message(line);
            let level = Level::named_in(&message).unwrap_or(Level::Info);
            Some(Stored::wrapped(&Record::now(level, cut(&message))))
        }
    }
}

/// Returns the record that is stored of a line whose envelope is taken off. It keeps its own time
/// and level; what it lacks of these comes from the envelope, so that no record breaks OpenReplay's
/// panel.
pub(crate) fn record_from<'a>(line: &'a [u8], origin: &Origin) -> Option<Stored<'a>> {
    let line = line.trim_ascii_end();
    let object = line.trim_ascii_start();
    if object.is_empty() {
        return None;
    }
    if let Some(document) = completed(object, origin) {
        return Some(Stored {
            document,
            is_wrapped: false,
        });
    }
    let message = message(line);
    let named = origin.level.or_else(|| Level::named_in(&message));
    let mut record = Record::now(named.unwrap_or(origin.default_level()), cut(&message));
    record.time = time::text(origin.time).into();
    record.stream = origin.stream.name();
    Some(Stored::wrapped(&record))
}

/// Returns an object with a time and a level; `None` if the text is not an object, as far as its
/// top tells.
fn completed<'a>(object: &'a [u8], origin: &Origin) -> Option<Cow<'a, [u8]>> {
    if !is_object(object) {
        return None;
    }
    let text = str::from_utf8(object).ok()?;
    let (mut own_time, mut utc_time, mut level) = (None, None, None);
    let mut members = Members::of(text);
    // in records of ours, both stand at the start
    while (own_time.is_none() || level.is_none())
        && let Some((name, value)) = members.next()
    {
        match serde_json::from_str::<Cow<'_, str>>(name).as_deref() {
            Ok(field::TIMESTAMP) => own_time = Some(value),
            Ok(field::UTC_TIME) => utc_time = Some(value),
            Ok(field::LEVEL) => level = Some(value),
            _ => {}
        }
    }
    if own_time.is_some() && level.is_some() {
        return Some(object.into());
    }
    if !members.is_whole() {
        return None;
    }
    let mut added = Vec::new();
    if own_time.is_none() {
        let runtime = json!(time::text(origin.time)).to_string();
        added.push(member(field::TIMESTAMP, utc_time.unwrap_or(&runtime)));
        if utc_time.is_none() {
            added.push(member(field::UTC_TIME, &runtime));
        }
    }
    if level.is_none() {
        let level = origin.level.unwrap_or(origin.default_level());
        added.push(member(field::LEVEL, &json!(level.as_str()).to_string()));
    }
    let rest = text[1..].trim_start();
    let comma = if rest == "}" { "" } else { "," };
    let whole = format!("{{{}{comma}{rest}", added.join(","));
    Some(whole.into_bytes().into())
}

fn member(name: &str, value: &str) -> String {
    format!("\"{name}\":{value}")
}

/// Returns a line without the NULs before it: a truncation leaves them if the app does not open its
/// file to append.
pub(crate) fn without_nuls(line: &[u8]) -> &[u8] {
    let nuls = line.iter().take_while(|byte| **byte == 0).count();
    &line[nuls..]
}

/// Returns a line without the mark that may stand at the start of its file.
pub(crate) fn without_mark(line: &[u8], offset: u64) -> &[u8] {
    let rest = line.strip_prefix(BYTE_ORDER_MARK);
    rest.filter(|_| offset == 0).unwrap_or(line)
}

/// The text of a line that cannot be read any closer: what a library printed, or a cut line, is not
/// lost.
fn message(line: &[u8]) -> Cow<'_, str> {
    // a line may be beyond all measure; one byte more tells that
    String::from_utf8_lossy(&line[..line.len().min(MESSAGE + 1)])
}

impl<'a> Stored<'a> {
    fn unchanged(object: &'a [u8]) -> Self {
        Self {
            document: object.into(),
            is_wrapped: false,
        }
    }

    fn wrapped(record: &Record<'_>) -> Self {
        Self {
            document: record.to_json().into_bytes().into(),
            is_wrapped: true,
        }
    }
}
