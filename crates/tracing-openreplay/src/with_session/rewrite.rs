//! Rewrites an event, keeping everything that is not changed on purpose.

use openreplay_record::field;
use openreplay_session::SessionId;
use smallvec::SmallVec;
use tracing_core::{
    Event, Level,
    field::{Value, debug},
};

use super::{
    mark,
    message::{Message, Prefixed},
    metadata::{Addition, Rewritten},
    tags,
    values::{self, INLINE, Recorded, Values},
};

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
    let first = to.first;
    let fields: SmallVec<[_; INLINE]>;
    let mut messages: SmallVec<[_; 1]> = SmallVec::new();
    if let (Addition::Prefix | Addition::PrefixAndTags, Some(session)) = (to.addition, session) {
        for &index in to.messages {
            let recorded = index.checked_sub(first).and_then(|at| *values.get(at)?);
            if let Some(message) = recorded.map(Message::Recorded) {
                messages.push((index, debug(Prefixed { session, message })));
            }
        }
        if messages.is_empty() {
            let named = to.names[first..].iter().zip(values);
            fields = named
                .filter_map(|(name, value)| Some((*name, (*value)?)))
                .collect();
            let message = Message::Fields(&fields);
            let index = to.messages.first();
            messages.extend(index.map(|index| (*index, debug(Prefixed { session, message }))));
        }
    }
    let added = match to.addition {
        Addition::PrefixAndTags => Some(field::ERROR_TAG),
        Addition::Prefix => None,
        Addition::SentryTag => session.map(SessionId::as_str),
    };
    let own = to
        .own
        .filter(|_| to.addition == Addition::PrefixAndTags)
        .map(|index| (index, values.get(index - first).copied().flatten()));
    let tags = own.and_then(|(index, value)| tags::with_error(index, value));
    let tags_text = tags.as_ref().map(|tags| tags.text.as_str());

    let mut all = SmallVec::<[Option<&dyn Value>; INLINE]>::from_elem(None, to.names.len());
    for (slot, value) in all[first..].iter_mut().zip(values) {
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

    // This method is hidden, but tracing's macros call it, so it cannot be removed.
    let values = to.metadata.fields().value_set_all(&all);
    let metadata = to.metadata;
    let event = if event.is_contextual() {
        Event::new(metadata, &values)
    } else {
        Event::new_child_of(event.parent().cloned(), metadata, &values)
    };
    let mark = tags.as_ref().map(tags::Text::mark);
    mark::during(to, session.copied(), mark, || then(&event));
}
