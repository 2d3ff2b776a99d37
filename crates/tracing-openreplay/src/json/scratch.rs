//! The buffers in which a record is made: kept by the thread, so that a record allocates nothing.

use std::{cell::Cell, ops::Range};

use openreplay_record::time::Stamp;

use super::site::Sites;

/// A buffer that grew beyond this is not kept.
const KEPT: usize = 64 * 1024;

/// The same for the memory of a span.
const SPARE: usize = 1024;

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) parts: Parts,
    // what follows is worth keeping from one record to the next
    pub(super) stamp: Stamp,
    pub(super) sites: Sites,
    /// The memory of a span that was closed, for the next one.
    pub(super) spare: Vec<u8>,
}

/// The parts of a record in the making.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The record up to its message, in the end all of it.
    pub(super) line: Vec<u8>,
    /// What follows on the message's line.
    pub(super) text: Vec<u8>,
    /// What has lines of its own in the message.
    pub(super) below: Vec<u8>,
    /// The lines of the spans in the message.
    pub(super) lines: Vec<u8>,
    /// The members of `fields`.
    pub(super) fields: Vec<u8>,
    /// What a record contains in addition to the event.
    pub(super) extra: Vec<u8>,
    /// The id of the request, escaped.
    pub(super) request_id: Vec<u8>,
    /// The elements of `spans`, the innermost first.
    pub(super) spans: Vec<u8>,
    /// Where each of them is.
    pub(super) spans_at: Vec<Range<usize>>,
}

/// Lends the thread's buffers, empty.
///
/// A log call inside of `f`, by a `Debug` that logs, finds them taken and makes some of its own.
pub(super) fn with<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_default();
    let result = f(&mut scratch);
    scratch.parts.clear();
    // fails while the thread ends: nothing needs them any more
    let _ = SCRATCH.try_with(|slot| slot.set(Some(scratch)));
    result
}

/// Keeps the memory of a span that closes, unless it is large or the buffers are in use.
pub(super) fn keep_spare(text: Vec<u8>) {
    if text.capacity() > SPARE {
        return;
    }
    let _ = SCRATCH.try_with(|slot| {
        if let Some(mut scratch) = slot.take() {
            scratch.spare = text;
            slot.set(Some(scratch));
        }
    });
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
