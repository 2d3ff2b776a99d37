//! Records on their way: sent, and followed until each is stored or rejected.
//!
//! `state` has what is known of a batch, `decide` every rule, `drive` and `attempt` the I/O, `wire` the format.

pub(crate) use self::batch::{Batch, Piece};
pub(crate) use self::drive::Delivery;
pub(crate) use self::minimal::{minimal, wrapped};
pub(crate) use self::pace::{Pause, pause};
pub(crate) use self::pause::{Patient, Pauses};
pub(crate) use self::report::{Events, unknown as report_unknown};
pub(crate) use self::wire::{
    Action, Ids, LENGTH, Target, change_digits, document, record_id, records, write_digits,
};

mod aside;
mod attempt;
mod batch;
mod cluster;
mod decide;
mod drive;
mod event;
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
