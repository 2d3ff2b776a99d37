//! Where a span was created, which several layers of one subscriber note for the same span.

use std::sync::atomic::{AtomicUsize, Ordering};

use openreplay_session::{Scope, SessionId};
use tracing_core::span::Attributes;

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
    pub(crate) fn of_new_span(attributes: &Attributes<'_>, around: Option<Self>) -> Option<Self> {
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

    pub(crate) fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::NoSession | Self::Root(_) => None,
        }
    }
}

/// The origin that a span remembers.
pub(crate) struct Remembered(pub(crate) Origin);

/// The number of spans that currently remember an origin. While it is zero, records need not search
/// their spans.
static REMEMBERED: AtomicUsize = AtomicUsize::new(0);

impl Remembered {
    pub(crate) fn new(origin: Origin) -> Self {
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

/// Returns whether any span currently remembers an origin.
#[inline]
pub(crate) fn is_any_remembered() -> bool {
    REMEMBERED.load(Ordering::Relaxed) != 0
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
