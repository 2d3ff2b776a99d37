//! Records on their way: framed, sent, and followed until each is stored or refused.

pub(crate) use self::answer::Item;
#[cfg(test)]
pub(crate) use self::answer::ItemError;
pub(crate) use self::batch::{Batch, Piece};
pub(crate) use self::deliver::{Delivery, Events};
pub(crate) use self::frame::{Action, document, id as record_id, records};
pub(crate) use self::id::{Ids, LENGTH, change_digits, write_digits};
pub(crate) use self::minimal::{minimal, wrapped};
pub(crate) use self::pause::{Patient, Pauses};
pub(crate) use self::say::unknown as say_unknown;
pub(crate) use self::target::Target;

mod answer;
mod aside;
mod attempt;
mod batch;
mod bind;
mod deliver;
mod fault;
mod frame;
mod gzip;
mod id;
mod items;
mod members;
mod minimal;
mod note;
mod pause;
mod place;
mod reduce;
mod room;
mod say;
mod target;
#[cfg(test)]
mod tests;
