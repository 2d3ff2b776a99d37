//! How a record finds its session.
//!
//! The scope of the running task comes first: a session, or that it was left. If there is none, the
//! nearest enclosing span that remembers something decides, so that work which left the task with
//! `in_current_span` keeps its session without any code of ours.
//!
//! A span remembers only what its ancestors do not imply: once per request as a rule, so that
//! nested spans cost no allocation.
//!
//! Several layers of one subscriber call [`remember`] for the same span and share what it
//! remembers. Each layer knows only the spans that its filters let through, so they may disagree on
//! whether a span is inside a boundary. If one of them sees a boundary, the span has no session,
//! whichever layer comes first.

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

use crate::{
    kept::{self, Kept},
    with_session::mark,
};

/// What the creation of a span means for the records in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Created in this session.
    Session(SessionId),
    /// Created where the session had been left.
    NoSession,
    /// Created in this session with an explicit `parent: None`, so it belongs to no request: a
    /// pool's or a worker's span. A span that the same session creates inside belongs to the pool
    /// as well and remembers the same.
    Root(SessionId),
}

impl Origin {
    /// Returns what a new span remembers, given the nearest span `around` it that remembers
    /// something. `None` where that one implies the right session.
    fn of_new_span(attributes: &Attributes<'_>, around: Option<Self>) -> Option<Self> {
        match (Scope::current(), around) {
            (Scope::Session(id), _) if attributes.is_root() => Some(Self::Root(id)),
            // not implied: a layer that does not see the root would note the session
            (Scope::Session(id), Some(Self::Root(other))) if id == other => Some(Self::Root(id)),
            (Scope::Session(id), around) => {
                let origin = Self::Session(id);
                (around != Some(origin)).then_some(origin)
            }
            (Scope::NoSession, Some(Self::Session(_))) => Some(Self::NoSession),
            // not implied: a layer that sees a session in between notes none, which hides the root
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

/// What a span remembers.
pub(crate) struct Remembered(Origin);

/// How many spans remember something at this moment. While none does, no record has to look through
/// its spans.
static REMEMBERED: AtomicUsize = AtomicUsize::new(0);

impl Remembered {
    fn new(origin: Origin) -> Self {
        // `Relaxed` suffices: the span is published after this, with its own synchronization
        REMEMBERED.fetch_add(1, Ordering::Relaxed);
        Self(origin)
    }
}

impl Drop for Remembered {
    fn drop(&mut self) {
        REMEMBERED.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Notes in a new span where it was created. To be called from `on_new_span`.
pub(crate) fn remember<S>(attributes: &Attributes<'_>, id: &span::Id, ctx: &Context<'_, S>)
where
    S: for<'lookup> LookupSpan<'lookup> + tracing_core::Subscriber,
{
    if is_to_remember()
        && let Some(span) = ctx.span(id)
        && let Some(origin) = origin_of(attributes, &span)
    {
        kept::change(&span, |kept| note(origin, kept));
    }
}

/// Whether a span that is created now can have anything to remember.
pub(crate) fn is_to_remember() -> bool {
    !matches!(Scope::current(), Scope::Unset)
}

/// Returns what a new span has to remember.
pub(crate) fn origin_of<S>(attributes: &Attributes<'_>, span: &SpanRef<'_, S>) -> Option<Origin>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let around = span.parent().and_then(|parent| nearest(&parent));
    Origin::of_new_span(attributes, around)
}

pub(crate) fn note(origin: Origin, kept: &mut Kept) {
    match &mut kept.remembered {
        // a root is a boundary for what the session creates further in, too
        Some(Remembered(Origin::Root(_))) => {}
        // a boundary that one layer sees is one for all of them
        Some(Remembered(before)) if origin.session().is_none() => *before = origin,
        Some(_) => {}
        none => *none = Some(Remembered::new(origin)),
    }
}

/// Returns the session of a record: where `with_session()` is around the layer, the one that it
/// found.
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

/// Returns the session of a span that closes, wherever it is closed. As with [`of_event`], a layer
/// around comes first.
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

/// Returns what the nearest span remembers, from this one outwards.
fn nearest<S>(span: &SpanRef<'_, S>) -> Option<Origin>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let remembered = |span: &SpanRef<'_, S>| Some(kept::remembered(&span.extensions())?.0);
    // `scope()` would look the first span up once more, at a tenth of what a record costs
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
