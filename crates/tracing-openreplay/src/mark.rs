//! Passes information from `with_session()` to the wrapped layer.
//!
//! A filter in between may hide spans from the inner layer, so the inner layer uses the session
//! that `with_session()` found. `json()` also reads how the event was rewritten, in order to undo
//! it.

use std::{cell::Cell, ptr};

use openreplay_record::field::ERROR_TAG;
use openreplay_session::SessionId;
use tracing_core::Metadata;

thread_local! {
    /// The metadata of the event or span that is being passed on. If it is null, the next two
    /// values are out of date.
    static PASSED: Cell<*const Metadata<'static>> = const { Cell::new(ptr::null()) };
    /// The mark of a rewritten event.
    static MARK: Cell<Option<Mark>> = const { Cell::new(None) };
    static SESSION: Cell<Option<SessionId>> = const { Cell::new(None) };
    static READING: Cell<Reading> = const { Cell::new(Reading::Prefixed) };
}

/// The mark of a rewritten event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// The index of the first added field. All further fields are added as well.
    pub(crate) added: usize,
    pub(crate) tags: Option<Tags>,
}

impl Mark {
    /// Adds the mark of an outer layer, before whose fields `inserted` fields were inserted.
    pub(crate) fn with_outer(self, outer: Self, inserted: usize) -> Self {
        let shifted = |tags: Tags| Tags {
            index: tags.index + inserted,
            ..tags
        };
        Self {
            added: self.added.min(outer.added + inserted),
            tags: self.tags.or(outer.tags.map(shifted)),
        }
    }
}

/// The event's own field to whose text ` error` was added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tags {
    pub(crate) index: usize,
    pub(crate) was: Was,
}

impl Tags {
    /// Returns the text without the added ` error`.
    pub(crate) fn original(self, text: &str) -> &str {
        let text = text.strip_suffix(ERROR_TAG).unwrap_or(text);
        text.strip_suffix(' ').unwrap_or(text)
    }
}

/// The kind of a value before it was converted to a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Was {
    /// The field was empty.
    Nothing,
    /// A number or a bool.
    Literal,
    Str,
    /// The output of `Debug` or `Display`.
    Text,
}

/// The part of a rewritten message that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The message with its prefix.
    #[default]
    Prefixed,
    /// The original text. If the message is an error, its causes are omitted.
    Original,
    /// The nth cause of the error that is the message.
    Cause(usize),
    /// What was requested was part of a message with a prefix, and has been read.
    Done,
}

/// Calls `then`, which passes on a rewritten event.
pub(crate) fn rewritten(
    metadata: &'static Metadata<'static>,
    mark: Mark,
    session: Option<SessionId>,
    then: impl FnOnce(),
) {
    let _restore = Restore::now();
    PASSED.set(metadata);
    MARK.set(Some(mark));
    SESSION.set(session);
    then();
}

/// Calls `then`, which passes on an unchanged event or span. A mark of an outer layer is kept.
#[inline]
pub(crate) fn unchanged(
    metadata: &'static Metadata<'static>,
    session: Option<SessionId>,
    then: impl FnOnce(),
) {
    let _restore = (!is_passed(metadata)).then(|| {
        let restore = Restore::now();
        PASSED.set(metadata);
        MARK.set(None);
        SESSION.set(session);
        restore
    });
    then();
}

/// A guard that restores the outer state on drop.
struct Restore(Option<Outer>);

/// The state of an outer event or span, if a value or a layer logs while it is being written.
struct Outer {
    metadata: *const Metadata<'static>,
    mark: Option<Mark>,
    session: Option<SessionId>,
    reading: Reading,
}

impl Restore {
    #[inline]
    fn now() -> Self {
        let metadata = PASSED.get();
        Self((!metadata.is_null()).then(|| Outer {
            metadata,
            mark: MARK.get(),
            session: SESSION.get(),
            reading: READING.take(),
        }))
    }
}

impl Drop for Restore {
    #[inline]
    fn drop(&mut self) {
        match &self.0 {
            None => PASSED.set(ptr::null()),
            Some(outer) => {
                PASSED.set(outer.metadata);
                MARK.set(outer.mark);
                SESSION.set(outer.session);
                READING.set(outer.reading);
            }
        }
    }
}

/// Returns whether an outer layer is currently passing on an event or span with this metadata.
#[inline]
fn is_passed(metadata: &Metadata<'_>) -> bool {
    ptr::addr_eq(PASSED.get(), metadata)
}

/// Returns the session that an outer layer found for the event or span with this metadata, or
/// `Some(None)` if the outer layer found none.
#[inline]
pub(crate) fn session_of(metadata: &Metadata<'_>) -> Option<Option<SessionId>> {
    is_passed(metadata).then(|| SESSION.get())
}

/// Returns the mark of the event with this metadata, if a rewritten event is being passed on.
#[inline]
pub(crate) fn of(metadata: &Metadata<'_>) -> Option<Mark> {
    is_passed(metadata).then(|| MARK.get())?
}

/// Calls `read`, which reads the original value of a field. Returns whether it was a message with a
/// prefix.
pub(crate) fn read_original(read: impl FnOnce()) -> bool {
    READING.set(Reading::Original);
    read();
    READING.take() == Reading::Done
}

/// Calls `read`, which reads the nth cause of the error in a message with a prefix. Returns whether
/// there is such a cause.
pub(crate) fn read_cause(nth: usize, read: impl FnOnce()) -> bool {
    READING.set(Reading::Cause(nth));
    read();
    READING.take() == Reading::Done
}

/// Notes that the message with a prefix had what was requested.
pub(crate) fn note_done() {
    READING.set(Reading::Done);
}

/// Takes the part that is read.
pub(crate) fn take_reading() -> Reading {
    READING.take()
}
