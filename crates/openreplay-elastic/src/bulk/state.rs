//! What is known of a batch.

use std::time::{Duration, Instant};

use super::backoff::{Backoff, BeforeRetry};

/// How long records wait for an index that rejects all writes and that the alias has left.
pub(super) const LEAVE_BLOCKED_AFTER: Duration = Duration::from_secs(60);

/// What is known of a batch: [`decide`](super::decide::decide) reads it, and each
/// [`Action`](super::decide::Action) gives the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) place: Place,
    pub(crate) pinning: Pinning,
    pub(crate) form: Form,
    pub(crate) suspicion: Suspicion,
    /// Since when this is a single record that the engine fails on: the record is in doubt.
    pub(crate) failing_since: Option<Instant>,
    pub(crate) tries: Tries,
}

/// Where the records may be: an `_id` is unique in an index, not in an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// In no index: they go wherever the alias leads.
    #[default]
    Open,
    /// A request got no response. They may be in this index, which was the one behind the alias, or
    /// in one that the alias led to since.
    Lost { before: String },
    /// They may be in this index, or must go there: never to another while it exists.
    Pinned {
        index: String,
        /// Since when each response was that the index rejects all writes.
        blocked: Option<Instant>,
    },
}

/// Whether the observer must know the index before the records are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pinning {
    /// Pinned only once the records may be in an index.
    #[default]
    IfNeeded,
    /// Pinned from the start: the observer keeps the index over a restart.
    Always,
}

/// What is sent of each record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Whole,
    /// The fixed fields only. What is rejected now is rejected for good.
    Minimal,
}

/// What the last response means for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Suspicion {
    #[default]
    None,
    /// This single record was rejected as a whole request. If it is rejected again, the record is
    /// at fault.
    RejectedAlone,
    /// The engine has failed on this single record for long: before the next attempt, another
    /// record is sent in its place as a probe.
    ToProbe(BeforeRetry),
    /// Another record was accepted while this one was not.
    Blamed,
}

/// How often the records were tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    /// Requests that were sent.
    pub(crate) sent: u32,
    /// Responses, or lost ones, that the records themselves may be the reason for.
    pub(crate) failures: u32,
    /// Delays of each backoff: trouble of another kind starts with a short delay again.
    short: u32,
    long: u32,
}

impl Tries {
    /// The same for records in another form, which have not failed yet.
    pub(super) fn of_another_form(self) -> Self {
        Self {
            sent: self.sent,
            ..Self::default()
        }
    }

    /// Counts another delay; returns its number, from 1.
    pub(super) fn next_delay(&mut self, backoff: Backoff) -> u32 {
        let delays = match backoff {
            Backoff::Short => &mut self.short,
            Backoff::Long => &mut self.long,
        };
        *delays += 1;
        *delays
    }
}

impl Place {
    pub(crate) fn pinned(index: impl Into<String>) -> Self {
        Self::Pinned {
            index: index.into(),
            blocked: None,
        }
    }

    /// The index that records are sent to; the alias otherwise.
    pub(crate) fn index(&self) -> Option<&str> {
        match self {
            Self::Pinned { index, .. } => Some(index),
            Self::Open | Self::Lost { .. } => None,
        }
    }

    /// The same after a response that reports no blocked index.
    pub(super) fn unblocked(&self) -> Self {
        match self {
            Self::Pinned { index, .. } => Self::pinned(index),
            other => other.clone(),
        }
    }
}

impl State {
    /// The state of records whose observer must know the index.
    #[cfg(any(test, feature = "ship"))]
    pub(super) fn always_pinned(index: Option<&str>) -> Self {
        Self {
            place: index.map_or(Place::Open, Place::pinned),
            pinning: Pinning::Always,
            ..Self::default()
        }
    }

    /// The same for a new attempt: what the last response meant is over.
    pub(super) fn once_more(&self) -> Self {
        Self {
            place: self.place.unblocked(),
            suspicion: Suspicion::None,
            ..self.clone()
        }
    }
}
