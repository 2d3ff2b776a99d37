//! The thread's buffers for rendering a record, which are reused so that a record does not
//! allocate.

use std::{cell::Cell, ops::Range};

use openreplay_record::time::Stamp;

use super::site::Sites;

/// The maximum capacity of a buffer that is kept.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) parts: Parts,
    // These keep their contents from one record to the next.
    pub(super) stamp: Stamp,
    pub(super) sites: Sites,
}

/// The parts of a record that is being rendered.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The record up to its message, and finally the whole record.
    pub(super) line: Vec<u8>,
    /// The fields on the first line of the message.
    pub(super) text: Vec<u8>,
    /// The values and causes on further lines of the message.
    pub(super) below: Vec<u8>,
    /// The lines of the spans in the message.
    pub(super) lines: Vec<u8>,
    /// The members of `fields`.
    pub(super) fields: Vec<u8>,
    /// The members that do not depend on the event, such as the thread's name.
    pub(super) extra: Vec<u8>,
    /// The escaped id of the request.
    pub(super) request_id: Vec<u8>,
    /// The elements of `spans`, the innermost first.
    pub(super) spans: Vec<u8>,
    /// The position of each element in `spans`.
    pub(super) spans_at: Vec<Range<usize>>,
}

/// Calls `f` with the thread's empty buffers.
///
/// If `f` logs, for instance in a `Debug` implementation, that record gets new buffers.
pub(super) fn with<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    lend(|scratch| {
        let result = f(scratch);
        scratch.parts.clear();
        result
    })
}

/// Calls `f` with the thread's cached callsites only.
pub(super) fn with_sites<R>(f: impl FnOnce(&mut Sites) -> R) -> R {
    lend(|scratch| f(&mut scratch.sites))
}

fn lend<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_default();
    let result = f(&mut scratch);
    // This fails only while the thread ends, when the buffers are not needed any more.
    let _ = SCRATCH.try_with(|slot| slot.set(Some(scratch)));
    result
}

impl Parts {
    fn clear(&mut self) {
        let Self {
            line,
            text,
            below,
            lines,
            fields,
            extra,
            request_id,
            spans,
            spans_at,
        } = self;
        for buffer in [line, text, below, lines, fields, extra, request_id, spans] {
            if buffer.capacity() > KEPT {
                *buffer = Vec::new();
            } else {
                buffer.clear();
            }
        }
        spans_at.clear();
    }
}
