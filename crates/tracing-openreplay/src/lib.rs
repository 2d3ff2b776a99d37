//! Tracing layers whose records OpenReplay shows beside the replay.

mod filter;
mod lookup;
mod phrase;
mod with_session;

pub use self::{
    filter::SessionOnly,
    with_session::{LayerExt, WithSession},
};
