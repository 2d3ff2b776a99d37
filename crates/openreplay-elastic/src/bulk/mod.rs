//! Records on their way: sent, and followed until each is stored or rejected.
//!
//! `state` has what is known of a batch, `decide` every rule, `drive` and `attempt` the I/O, `wire`
//! the format.

#[cfg(any(feature = "admin", feature = "ship"))]
pub(crate) use self::line::{Stored, record as record_of_line, record_from};
#[cfg(feature = "ship")]
pub(crate) use self::line::{without_mark, without_nuls};
#[cfg(feature = "ship")]
pub(crate) use self::members::Members;
#[cfg(feature = "admin")]
pub(crate) use self::minimal::minimal;
pub(crate) use self::{
    batch::{Batch, Piece},
    drive::Delivery,
    pace::Pause,
    pause::Pauses,
    report::Events,
    wire::{Ids, Target},
};
#[cfg(feature = "ship")]
pub(crate) use self::{
    pace::pause,
    pause::Patient,
    report::query_error as report_query_error,
    wire::{Action, FailureKind, LENGTH, change_digits, record_id, records, write_digits},
};

mod aside;
mod attempt;
mod batch;
mod cluster;
mod decide;
mod drive;
mod event;
#[cfg(any(feature = "admin", feature = "ship"))]
mod line;
mod members;
mod minimal;
mod pace;
mod pause;
mod probe;
mod report;
mod room;
mod search;
mod state;
#[cfg(test)]
mod tests;
mod wire;
