//! Where a line of a file becomes a record.

use std::borrow::Cow;

use super::position::Piece;
use crate::bulk;

/// A line as its file holds it, without its line feed.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawLine<'a> {
    pub(super) bytes: &'a [u8],
    /// The offset of its first byte in the file.
    pub(super) start: u64,
}

/// A record that is ready to be framed.
#[derive(Debug)]
pub(super) struct LineRecord<'a> {
    /// The offset that its `_id` is made from: where its line, or the first piece of its line, begins.
    pub(super) start: u64,
    pub(super) document: Cow<'a, [u8]>,
    /// The line is not a JSON object, and is stored as a message.
    pub(super) is_wrapped: bool,
}

/// Makes records of the lines of one file, which come in file order.
#[derive(Clone, Debug, Default)]
pub(super) struct LineReader {
    /// The beginning of a line that a container runtime wrote in pieces, until its rest comes.
    pub(super) piece: Option<Piece>,
}

impl LineReader {
    /// Returns the record of a line; `None` if there is none, or none yet.
    pub(super) fn read<'a>(&mut self, line: RawLine<'a>) -> Option<LineRecord<'a>> {
        let document = bulk::record_of_line(line.bytes, line.start)?;
        Some(LineRecord {
            start: line.start,
            is_wrapped: matches!(document, Cow::Owned(_)),
            document,
        })
    }
}
