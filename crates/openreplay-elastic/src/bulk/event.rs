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
    },
    /// No response came.
    NoResponse(NoResponse),
}
