//! Records on their way: sent, and followed until each is stored or rejected.
//!
//! `state` has what is known of a batch, `decide` every rule, `drive` and `sender` the I/O, `wire`
//! the format.

pub(crate) use self::{
    backoff::Delay,
    batch::{Batch, Piece},
    clock::Clock,
    drive::Delivery,
    observer::Observer,
    wire::{Ids, Target},
};
#[cfg(feature = "ship")]
pub(crate) use self::{
    backoff::delay,
    clock::SystemClock,
    report::query_failed as report_query_failed,
    wire::{Action, FailureKind, LENGTH, change_digits, record_id, records, write_digits},
};

mod aside;
mod backoff;
mod batch;
mod clock;
mod cluster;
mod decide;
mod drive;
mod event;
mod observer;
mod probe;
mod report;
mod room;
mod search;
mod sender;
mod state;
#[cfg(test)]
mod tests;
mod wire;
