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

use std::sync::atomic::{AtomicUsize, Ordering};

use openreplay_session::{Scope, SessionId};
use tracing_core::{
    Event, Metadata,
    span::{self, Attributes},
};
use tracing_subscriber::{
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::{kept, with_session::mark};

/// Where a span was created, which determines the session of the records in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The span was created in this session.
    Session(SessionId),
    /// The span was created after its session had been left.
    NoSession,
    /// The span was created in this session with an explicit `parent: None`, so it belongs to no
    /// request but, for instance, to a pool or a worker. Spans that the same session creates inside
    /// also belong to the pool, and have the same origin.
    Root(SessionId),
}

impl Origin {
    /// Returns the origin that a new span remembers, given the origin of the nearest span `around`
    /// it. Returns `None` if that origin implies the right session.
    #[inline]
    fn of_new_span(attributes: &Attributes<'_>, around: Option<Self>) -> Option<Self> {
        match (Scope::current(), around) {
            (Scope::Session(id), _) if attributes.is_root() => Some(Self::Root(id)),
            // Not implied, because a layer that does not see the root would note the session.
            (Scope::Session(id), Some(Self::Root(other))) if id == other => Some(Self::Root(id)),
            (Scope::Session(id), around) => {
                let origin = Self::Session(id);
                (around != Some(origin)).then_some(origin)
            }
            (Scope::NoSession, Some(Self::Session(_))) => Some(Self::NoSession),
            // Not implied, because a layer that sees a session in between would note `NoSession`,
            // which hides the root.
            (Scope::NoSession, Some(root @ Self::Root(_))) => Some(root),
            (Scope::NoSession | Scope::Unset, _) => None,
        }
    }

    fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::NoSession | Self::Root(_) => None,
        }
    }
}

/// The origin that a span remembers.
pub(crate) struct Remembered(Origin);

/// The number of spans that currently remember an origin. While it is zero, records need not search
/// their spans.
static REMEMBERED: AtomicUsize = AtomicUsize::new(0);

impl Remembered {
    fn new(origin: Origin) -> Self {
        // `Relaxed` suffices, because the span is published later, with its own synchronisation.
        REMEMBERED.fetch_add(1, Ordering::Relaxed);
        Self(origin)
    }
}

impl Drop for Remembered {
    fn drop(&mut self) {
        REMEMBERED.fetch_sub(1, Ordering::Relaxed);
    }
}

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

/// Adds the origin that another layer stores for the span.
pub(crate) fn merge(remembered: &mut Option<Remembered>, new: Remembered) {
    match remembered {
        // A root is also a boundary for spans that its session creates inside.
        Some(Remembered(Origin::Root(_))) => {}
        // A boundary that one layer sees applies to all layers.
        Some(before) if new.0.session().is_none() => *before = new,
        Some(_) => {}
        none => *none = Some(new),
    }
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
        Scope::Unset if REMEMBERED.load(Ordering::Relaxed) == 0 => None,
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
        None if REMEMBERED.load(Ordering::Relaxed) == 0 => None,
        None => nearest(span)?.session(),
    }
}

/// Returns the origin that the nearest span remembers, starting with this span.
fn nearest<S>(span: &SpanRef<'_, S>) -> Option<Origin>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let remembered =
        |span: &SpanRef<'_, S>| Some(kept::of(&span.extensions())?.remembered.as_ref()?.0);
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
