//! Finds the session of a record.
//!
//! The scope of the running task comes first: either a session, or `Scope::NoSession`. If there is
//! no scope, the nearest enclosing span that remembers its origin decides. Work that was spawned
//! with `in_current_span` therefore keeps its session.
//!
//! A span only remembers its origin if its ancestors do not imply it. This is usually the case once
//! per request, so that nested spans cost no allocation.
//!
//! Several layers of one subscriber call [`remember`] for the same span and share the result. Each
//! layer only knows the spans that its filters accept, so layers may disagree on whether a span is
//! inside a boundary. If any layer sees a boundary, the span has no session, whatever the order of
//! the layers.

use openreplay_session::{Scope, SessionId};
use tracing_core::{
    Event, Metadata,
    span::{self, Attributes},
};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::{
    kept, mark,
    origin::{self, Origin, Remembered},
};

/// Stores the origin of a new span, if it is not implied. Called from `on_new_span`.
pub(crate) fn remember<S>(attributes: &Attributes<'_>, id: &span::Id, ctx: &Context<'_, S>)
where
    S: for<'lookup> LookupSpan<'lookup> + tracing_core::Subscriber,
{
    if is_to_remember()
        && let Some(span) = ctx.span(id)
        && let Some(remembered) = of_new_span(attributes, &span)
    {
        kept::add(&span, |kept| kept.remembered = Some(remembered));
    }
}

/// Returns whether a span that is created now may have to remember its origin.
pub(crate) fn is_to_remember() -> bool {
    !matches!(Scope::current(), Scope::Unset)
}

/// Returns the origin that a new span must remember.
#[inline]
pub(crate) fn of_new_span<S>(
    attributes: &Attributes<'_>,
    span: &SpanRef<'_, S>,
) -> Option<Remembered>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let around = span.parent().and_then(|parent| nearest(&parent));
    Origin::of_new_span(attributes, around).map(Remembered::new)
}

/// Returns the session of a record. If `with_session()` wraps the layer, this is the session that
/// the wrapper found.
pub(crate) fn of_event<S>(event: &Event<'_>, ctx: &Context<'_, S>) -> Option<SessionId>
where
    S: for<'lookup> LookupSpan<'lookup> + tracing_core::Subscriber,
{
    of_record(event.metadata(), || ctx.event_span(event))
}

/// The same for a record whose span `span` looks up.
#[inline]
pub(crate) fn of_record<'a, S>(
    metadata: &Metadata<'_>,
    span: impl FnOnce() -> Option<SpanRef<'a, S>>,
) -> Option<SessionId>
where
    S: for<'lookup> LookupSpan<'lookup> + 'a,
{
    if let Some(session) = mark::session_of(metadata) {
        return session;
    }
    match Scope::current() {
        Scope::Session(id) => Some(id),
        Scope::NoSession => None,
        Scope::Unset if !origin::is_any_remembered() => None,
        Scope::Unset => nearest(&span()?)?.session(),
    }
}

/// Returns the session of a span that closes, whichever task closes it. As in [`of_event`], a
/// wrapping layer takes precedence.
pub(crate) fn of_span<S>(span: &SpanRef<'_, S>) -> Option<SessionId>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    match mark::session_of(span.metadata()) {
        Some(session) => session,
        None if !origin::is_any_remembered() => None,
        None => nearest(span)?.session(),
    }
}

/// Returns the origin that the nearest span remembers, starting with this span.
fn nearest<S>(span: &SpanRef<'_, S>) -> Option<Origin>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let remembered = |span: &SpanRef<'_, S>| {
        kept::read(span, |kept| Some(kept?.remembered.as_ref()?.0))
            // A span with a poisoned lock may have been a boundary.
            .unwrap_or(Some(Origin::NoSession))
    };
    // `scope()` would look up the first span again, which takes a tenth of the time of a record.
    let mut origin = remembered(span);
    let mut parent = span.parent();
    while let (None, Some(span)) = (origin, &parent) {
        origin = remembered(span);
        parent = span.parent();
    }
    origin
}

#[cfg(test)]
mod tests;
