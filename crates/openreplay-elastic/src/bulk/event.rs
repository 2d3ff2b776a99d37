//! What can happen to a batch.

use std::time::Duration;

use super::wire::{FailureKind, Item, NoResponse, Presence, QueryError};

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// It is the batch's turn.
    Due,
    /// The alias leads new records to this index.
    WriteIndex(&'a str),
    /// The index that the batch is pinned to exists, or it is missing.
    Exists(bool),
    /// These indices were searched for records of the batch, in this order, up to the first that
    /// has one.
    Searched(&'a [(String, Presence)]),
    /// A query got no usable response yet.
    QueryFailed(&'a QueryError),
    /// Another record was sent in the place of a single one.
    Probed { is_stored: bool },
    /// All records are stored, in this index.
    Stored { index: &'a str },
    /// Each record has a result of its own.
    Items(&'a [Item<'a>]),
    /// A response with status 200 that Elasticsearch does not give.
    Unreadable,
    /// The whole request failed.
    Failed {
        kind: FailureKind,
        retry_after: Option<Duration>,
        why: &'a str,
    },
    /// No response came.
    NoResponse { kind: NoResponse, why: &'a str },
}

/// What a record or a request failed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The response as a whole.
    Whole,
    /// The result of this record.
    Item(usize),
}

impl Event<'_> {
    /// Returns what is wrong, in words; empty if nothing is.
    pub(super) fn text(&self, cause: Cause) -> String {
        match (self, cause) {
            (Self::Items(items), Cause::Item(at)) => {
                items.get(at).map_or_else(String::new, ToString::to_string)
            }
            (Self::QueryFailed(error), _) => error.text.clone(),
            (Self::Failed { why, .. } | Self::NoResponse { why, .. }, _) => (*why).to_owned(),
            (Self::Unreadable, _) => "a response to _bulk could not be read".to_owned(),
            _ => String::new(),
        }
    }

    /// Returns the kind of failure, if there was a response.
    pub(super) fn failure(&self, cause: Cause) -> Option<FailureKind> {
        match (self, cause) {
            (Self::Items(items), Cause::Item(at)) => items.get(at).map(Item::failure),
            (Self::QueryFailed(error), _) => error.failure,
            (Self::Failed { kind, .. }, _) => Some(*kind),
            _ => None,
        }
    }
}
