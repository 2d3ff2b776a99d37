//! What `with_session()` tells the layers inside of it.
//!
//! A filter between the two may hide spans from the inner layer, so the outer one's session counts.
//! `json()` also learns how an event was rewritten, and undoes it.

use std::{cell::Cell, ptr};

use openreplay_record::field::ERROR_TAG;
use openreplay_session::SessionId;
use tracing_core::Metadata;

use super::metadata::Rewritten;

thread_local! {
    /// The metadata of what is being passed on, null if nothing is: then the next three are out of
    /// date.
    static PASSED: Cell<*const Metadata<'static>> = const { Cell::new(ptr::null()) };
    static REWRITTEN: Cell<Option<&'static Rewritten>> = const { Cell::new(None) };
    static SESSION: Cell<Option<SessionId>> = const { Cell::new(None) };
    static TAGS: Cell<Option<Tags>> = const { Cell::new(None) };
    static READING: Cell<Reading> = const { Cell::new(Reading::Prefixed) };
}

/// The mark of a rewritten event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// The index of the field that was added.
    pub(crate) added: Option<usize>,
    pub(crate) tags: Option<Tags>,
}

/// The field of the event's own in which ` error` was added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tags {
    pub(crate) index: usize,
    pub(crate) was: Was,
}

impl Tags {
    /// Returns the text without what was added to it.
    pub(crate) fn original(self, text: &str) -> &str {
        let text = text.strip_suffix(ERROR_TAG).unwrap_or(text);
        text.strip_suffix(' ').unwrap_or(text)
    }
}

/// What a value was before it became a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Was {
    /// The field was left empty.
    Nothing,
    /// A number or a bool.
    Literal,
    Str,
    /// What a `Debug` or `Display` writes.
    Text,
}

/// What is wanted of a message that was rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reading {
    #[default]
    Prefixed,
    /// The text without what was added to it, and of an error without its causes.
    Original,
    /// The nth cause of the error that is the message.
    Cause(usize),
    /// There was no such cause.
    NoCause,
}

/// Calls `then`, which passes a rewritten event on.
pub(super) fn during(
    rewritten: &'static Rewritten,
    session: Option<SessionId>,
    tags: Option<Tags>,
    then: impl FnOnce(),
) {
    let _restore = Restore::now();
    PASSED.set(rewritten.metadata);
    REWRITTEN.set(Some(rewritten));
    SESSION.set(session);
    TAGS.set(tags);
    then();
}

/// Calls `then`, which passes on an event or a span as it is, with the mark of an outer layer if it
/// has one.
#[inline]
pub(super) fn unchanged(
    metadata: &'static Metadata<'static>,
    session: Option<SessionId>,
    then: impl FnOnce(),
) {
    let _restore = (!is_passed(metadata)).then(|| {
        let restore = Restore::now();
        PASSED.set(metadata);
        REWRITTEN.set(None);
        SESSION.set(session);
        restore
    });
    then();
}

/// Restores what was passed on before when it is dropped.
struct Restore(Option<Outer>);

/// Something that is passed on already: a value or a layer logs while it is being written.
struct Outer {
    metadata: *const Metadata<'static>,
    rewritten: Option<&'static Rewritten>,
    session: Option<SessionId>,
    tags: Option<Tags>,
}

impl Restore {
    #[inline]
    fn now() -> Self {
        let metadata = PASSED.get();
        Self((!metadata.is_null()).then(|| Outer {
            metadata,
            rewritten: REWRITTEN.get(),
            session: SESSION.get(),
            tags: TAGS.get(),
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
                REWRITTEN.set(outer.rewritten);
                SESSION.set(outer.session);
                TAGS.set(outer.tags);
            }
        }
    }
}

/// Whether an outer layer passes this on at this moment: something that has this metadata.
#[inline]
fn is_passed(metadata: &Metadata<'_>) -> bool {
    ptr::addr_eq(PASSED.get(), metadata)
}

/// Returns the session that an outer layer found for the event or the span that has this metadata,
/// `Some(None)` if it found none.
#[inline]
pub(crate) fn session_of(metadata: &Metadata<'_>) -> Option<Option<SessionId>> {
    is_passed(metadata).then(|| SESSION.get())
}

/// Returns the mark of the event that has this metadata, if it is a rewritten one that is being
/// passed on.
#[inline]
pub(crate) fn of(metadata: &Metadata<'_>) -> Option<Mark> {
    if !is_passed(metadata) {
        return None;
    }
    Some(Mark {
        added: REWRITTEN.get()?.added,
        tags: TAGS.get(),
    })
}

/// Calls `read`, which reads a field, without what was added to the field. Returns whether it was a
/// message that has a prefix.
pub(crate) fn read_original(read: impl FnOnce()) -> bool {
    READING.set(Reading::Original);
    read();
    READING.take() == Reading::Prefixed
}

/// Calls `read`, which reads a message that has a prefix: the nth cause of the error that is the
/// message. Returns whether there was one.
pub(crate) fn read_cause(nth: usize, read: impl FnOnce()) -> bool {
    READING.set(Reading::Cause(nth));
    read();
    READING.take() == Reading::Prefixed
}

/// Ends a reading: there is no such cause.
pub(super) fn no_cause() {
    READING.set(Reading::NoCause);
}

/// Takes what is wanted, so that code of the user's which logs while it is read finds its own
/// events unchanged.
pub(super) fn wanted() -> Reading {
    READING.take()
}
