//! An event with something added to it, everything else as it was.

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
    metadata::{Addition, MESSAGE, Rewritten},
    tags,
    values::{self, INLINE, Values},
};

/// Returns what the event becomes, `None` if it stays what it is.
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
    let recorded = || {
        let named = to.names[first..].iter().zip(values).enumerate();
        named.filter_map(|(index, (name, value))| Some((first + index, *name, (*value)?)))
    };

    let fields: SmallVec<[_; INLINE]>;
    let mut messages: SmallVec<[_; 1]> = SmallVec::new();
    if let (Addition::Prefix | Addition::PrefixAndTags, Some(session)) = (to.addition, session) {
        for (index, name, value) in recorded() {
            if name == MESSAGE {
                let message = Message::Recorded(value);
                messages.push((index, debug(Prefixed { session, message })));
            }
        }
        if messages.is_empty() {
            fields = recorded().map(|(_, name, value)| (name, value)).collect();
            let index = to.names.iter().position(|name| *name == MESSAGE);
            let message = Message::Fields(&fields);
            messages.extend(index.map(|index| (index, debug(Prefixed { session, message }))));
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

    let mut all = SmallVec::<[Option<&dyn Value>; INLINE]>::new();
    all.resize(to.names.len(), None);
    for (index, _, value) in recorded() {
        all[index] = Some(value.as_value());
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

    // what tracing's own macros call: hidden, and bound to stay while they are in use
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
