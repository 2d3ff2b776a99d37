//! Rewrites an event, keeping everything that is not changed on purpose.

use openreplay_record::field;
use openreplay_session::SessionId;
use smallvec::SmallVec;
use tracing_core::{
    Event, Level, Metadata,
    field::{DebugValue, Value, debug},
};

use super::{
    message::{Message, Prefixed},
    metadata::{Addition, Parts, Rewritten},
    tags,
    values::{self, INLINE, Recorded, Values},
};
use crate::mark::{self, Mark};

/// Returns the metadata of the rewritten event, or `None` if the event does not change.
pub(super) fn plan(
    event: &Event<'_>,
    session: Option<&SessionId>,
    addition: Addition,
) -> Option<&'static Rewritten> {
    let tagged = addition == Addition::PrefixAndTags && *event.metadata().level() == Level::ERROR;
    if session.is_some() || tagged {
        Rewritten::of(event.metadata(), addition)
    } else {
        None
    }
}

/// Calls `then` with the rewritten event.
pub(super) fn rewrite(
    event: &Event<'_>,
    session: Option<&SessionId>,
    to: &'static Rewritten,
    then: &mut dyn FnMut(&Event<'_>),
) {
    values::hold(event, &mut |values| {
        with_values(event, session, to, values, then);
    });
}

fn with_values(
    event: &Event<'_>,
    session: Option<&SessionId>,
    to: &'static Rewritten,
    values: &Values<'_>,
    then: &mut dyn FnMut(&Event<'_>),
) {
    let fields: Fields<'_>;
    let mut messages = Messages::new();
    if let (true, Some(session)) = (to.adds.prefix, session) {
        messages = prefixed(session, to, values);
        if messages.is_empty() {
            fields = named(to, values);
            let message = Message::Fields(&fields);
            let index = to.messages.first();
            messages.extend(index.map(|index| (*index, debug(Prefixed { session, message }))));
        }
    }
    let added = added(session, to.adds);
    let tags = own_tags(to, values);
    let tags_text = tags.as_ref().map(|tags| tags.text.as_str());

    let mut all = SmallVec::<[Option<&dyn Value>; INLINE]>::from_elem(None, to.names.len());
    for (slot, value) in all[to.first..].iter_mut().zip(values) {
        *slot = value.map(Recorded::as_value);
    }
    for (index, message) in &messages {
        all[*index] = Some(message);
    }
    if let Some(index) = to.added {
        all[index] = added.as_ref().map(|added| added as &dyn Value);
    }
    if let (Some(tags), Some(text)) = (&tags, &tags_text) {
        all[tags.index] = Some(text);
    }
    let mut mark = Mark {
        added: to.added.unwrap_or(to.names.len()),
        tags: tags.as_ref().map(tags::Text::mark),
    };
    if to.is_nested()
        && let Some(outer) = mark::of(event.metadata())
    {
        mark = mark.with_outer(outer, to.first);
    }
    mark::rewritten(to.metadata, mark, session.copied(), || {
        pass(event, to.metadata, &all, then);
    });
}

/// Returns the value of the appended field.
fn added(session: Option<&SessionId>, adds: Parts) -> Option<&str> {
    match adds {
        Parts { tags: true, .. } => Some(field::ERROR_TAG),
        Parts {
            sentry_tag: true, ..
        } => session.map(SessionId::as_str),
        _ => None,
    }
}

/// The messages of the rewritten event, by the index of their fields.
type Messages<'a> = SmallVec<[(usize, DebugValue<Prefixed<'a>>); 1]>;
type Fields<'a> = SmallVec<[(&'static str, &'a Recorded<'a>); INLINE]>;

/// Returns the event's own messages with the prefix.
fn prefixed<'a>(
    session: &'a SessionId,
    to: &'static Rewritten,
    values: &'a [Option<&'a Recorded<'a>>],
) -> Messages<'a> {
    let mut messages = Messages::new();
    for &index in to.messages {
        let recorded = index.checked_sub(to.first).and_then(|at| *values.get(at)?);
        if let Some(message) = recorded.map(Message::Recorded) {
            messages.push((index, debug(Prefixed { session, message })));
        }
    }
    messages
}

/// Returns the event's fields that have a value, with their names.
fn named<'a>(to: &'static Rewritten, values: &'a [Option<&'a Recorded<'a>>]) -> Fields<'a> {
    let named = to.names[to.first..].iter().zip(values);
    named
        .filter_map(|(name, value)| Some((*name, (*value)?)))
        .collect()
}

/// Returns the event's own tags with `error` appended, if the event has a field for them that lacks
/// `error`.
fn own_tags(to: &'static Rewritten, values: &Values<'_>) -> Option<tags::Text> {
    let index = to.own.filter(|_| to.adds.tags)?;
    tags::with_error(index, values.get(index - to.first).copied().flatten())
}

/// Calls `then` with an event of these values, which has the parent of the original event.
fn pass(
    original: &Event<'_>,
    metadata: &'static Metadata<'static>,
    values: &[Option<&dyn Value>],
    then: &mut dyn FnMut(&Event<'_>),
) {
    // This method is hidden, but tracing's macros call it, so it cannot be removed.
    let values = metadata.fields().value_set_all(values);
    let event = if original.is_contextual() {
        Event::new(metadata, &values)
    } else {
        Event::new_child_of(original.parent().cloned(), metadata, &values)
    };
    then(&event);
}
