//! What is known of the cluster, for all batches of a delivery.

use std::time::{Duration, Instant};

use super::event::Event;
use super::room::Room;
use super::state::State;
use super::wire::{FailureKind, ItemKind, NoResponse};
use crate::numbered::LOGS;

/// How long credentials count as limited to the alias: somebody may have extended them since.
pub(super) const ALIAS_ONLY: Duration = Duration::from_secs(600);

/// How long the index that a response named counts as the one behind the alias.
pub(super) const KNOWN: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Cluster {
    /// The index that the last response named, and when.
    index: Option<(String, Instant)>,
    /// Since when these credentials are known to be limited to the alias.
    alias_only: Option<Instant>,
    pub(super) room: Room,
}

/// What is measured of a request; not all events are about one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) bytes: usize,
    pub(super) took: Duration,
    pub(super) now: Instant,
}

impl Cluster {
    /// `timeout`: how long a request may take.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            index: None,
            alias_only: None,
            room: Room::new(timeout),
        }
    }

    /// The index behind the alias, as of the last response that named one.
    pub(super) fn last_write_index(&self) -> Option<&str> {
        self.index.as_ref().map(|(index, _)| &index[..])
    }

    /// Whether that index is recent enough to rely on if a response is lost.
    pub(super) fn is_known(&self, now: Instant) -> bool {
        let named = self.index.as_ref().map(|(_, named)| *named);
        named.is_some_and(|named| now.saturating_duration_since(named) < KNOWN)
    }

    pub(super) fn is_alias_only(&self, now: Instant) -> bool {
        self.alias_only
            .is_some_and(|at| now.saturating_duration_since(at) < ALIAS_ONLY)
    }

    /// Whether a name in a response is that of an index: before a record reaches one, it is the
    /// alias, or empty.
    pub(super) fn is_index(name: &str) -> bool {
        !name.is_empty() && name != LOGS
    }

    /// Learns from what happened to a batch.
    pub(super) fn observe(&mut self, state: &State, measured: Measured, event: &Event<'_>) {
        let Measured { bytes, took, now } = measured;
        match event {
            Event::WriteIndex(index) => self.learn(index, now),
            Event::QueryFailed(error) if error.is_about_index() => self.index = None,
            Event::Stored { index } => {
                self.room.passed(bytes, took, now);
                self.learn_of(state, index, now);
            }
            Event::Unreadable => self.room.passed(bytes, took, now),
            Event::Items(items) => {
                self.room.passed(bytes, took, now);
                for item in *items {
                    match item.kind() {
                        ItemKind::Stored => self.learn_of(state, &item.index, now),
                        // What comes back behind the alias may be another index.
                        ItemKind::Missing | ItemKind::IndexRejects => self.index = None,
                        ItemKind::Forbidden if state.place.index().is_some() => {
                            self.alias_only = Some(now);
                        }
                        _ => {}
                    }
                }
            }
            Event::Failed { kind, .. } => match kind {
                FailureKind::TooLarge => self.room.too_much(bytes),
                FailureKind::TimedOut => self.room.timed_out(bytes, now),
                FailureKind::Missing => self.index = None,
                _ => {}
            },
            Event::NoResponse {
                kind: NoResponse::TimedOut,
                ..
            } => self.room.timed_out(bytes, now),
            Event::Due
            | Event::Exists(_)
            | Event::Searched(_)
            | Event::QueryFailed(_)
            | Event::Probed { .. }
            | Event::NoResponse { .. } => {}
        }
    }

    /// Records that went wherever the alias leads are in this index.
    fn learn_of(&mut self, state: &State, index: &str, now: Instant) {
        if state.place.index().is_none() && Self::is_index(index) {
            self.learn(index, now);
        }
    }

    fn learn(&mut self, index: &str, now: Instant) {
        match &mut self.index {
            Some((known, named)) if known == index => *named = now,
            other => *other = Some((index.to_owned(), now)),
        }
    }
}
