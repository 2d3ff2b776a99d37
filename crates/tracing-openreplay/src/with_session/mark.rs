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
    static CURRENT: Cell<Option<Passed>> = const { Cell::new(None) };
    static SESSION: Cell<Option<SessionId>> = const { Cell::new(None) };
    static TAGS: Cell<Option<Tags>> = const { Cell::new(None) };
    static READING: Cell<Reading> = const { Cell::new(Reading::Prefixed) };
}

/// What is passed on to the inner layer.
#[derive(Clone, Copy)]
struct Passed {
    metadata: *const Metadata<'static>,
    /// Of an event that was rewritten.
    rewritten: Option<&'static Rewritten>,
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
    let passed = Passed {
        metadata: rewritten.metadata,
        rewritten: Some(rewritten),
    };
    pass(passed, session, tags, then);
}

/// Calls `then`, which passes on an event or a span as it is, with the mark of an outer layer if it
/// has one.
pub(super) fn unchanged(
    metadata: &'static Metadata<'static>,
    session: Option<SessionId>,
    then: impl FnOnce(),
) {
    if passed(metadata).is_some() {
        return then();
    }
    let passed = Passed {
        metadata,
        rewritten: None,
    };
    pass(passed, session, None, then);
}

fn pass(passed: Passed, session: Option<SessionId>, tags: Option<Tags>, then: impl FnOnce()) {
    struct Restore(Option<Passed>, Option<SessionId>, Option<Tags>);

    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
            SESSION.set(self.1);
            TAGS.set(self.2);
        }
    }

    let _restore = Restore(
        CURRENT.replace(Some(passed)),
        SESSION.replace(session),
        TAGS.replace(tags),
    );
    then();
}

/// Returns what an outer layer passes on at this moment, if it is what has this metadata.
fn passed(metadata: &Metadata<'_>) -> Option<Passed> {
    CURRENT
        .get()
        .filter(|passed| ptr::addr_eq(passed.metadata, metadata))
}

/// Returns the session that an outer layer found for the event or the span that has this metadata,
/// `Some(None)` if it found none.
#[inline]
pub(crate) fn session_of(metadata: &Metadata<'_>) -> Option<Option<SessionId>> {
    passed(metadata).map(|_| SESSION.get())
}

/// Returns the mark of the event that has this metadata, if it is a rewritten one that is being
/// passed on.
#[inline]
pub(crate) fn of(metadata: &Metadata<'_>) -> Option<Mark> {
    let rewritten = passed(metadata)?.rewritten?;
    Some(Mark {
        added: rewritten.added,
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
