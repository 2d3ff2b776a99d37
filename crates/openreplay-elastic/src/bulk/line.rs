//! A line of a file, and the record that is stored of it.

use std::borrow::Cow;

use openreplay_record::{Level, Record, is_object};

use super::minimal::{MESSAGE, cut};

/// The beginning that some editors and loggers of Windows give to a file.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Returns the record that is stored of a line, given without its end; `None` for an empty line. A line that is not a JSON object
/// becomes the message of a record.
pub(crate) fn record(line: &[u8], offset: u64) -> Option<Cow<'_, [u8]>> {
    let line = without_mark(line, offset).trim_ascii_end();
    let object = line.trim_ascii_start();
    match object {
        [] => None,
        object if is_object(object) => Some(Cow::Borrowed(object)),
        _ => Some(Cow::Owned(wrapped(line))),
    }
}

/// Returns a line without the mark that may stand at the start of its file.
pub(crate) fn without_mark(line: &[u8], offset: u64) -> &[u8] {
    let rest = line.strip_prefix(BYTE_ORDER_MARK);
    rest.filter(|_| offset == 0).unwrap_or(line)
}

/// A record whose message is a text that cannot be read any closer: what a library printed, or a cut line, is not lost.
fn wrapped(line: &[u8]) -> Vec<u8> {
    // a line may be beyond all measure; one byte more tells that
    let message = String::from_utf8_lossy(&line[..line.len().min(MESSAGE + 1)]);
    let level = Level::named_in(&message).unwrap_or(Level::Info);
    Record::now(level, cut(&message)).to_json().into_bytes()
}
