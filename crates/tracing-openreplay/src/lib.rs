//! Tracing layers whose records OpenReplay shows beside the replay.

mod filter;
mod lookup;
#[expect(
    dead_code,
    reason = "both layers will break the phrase in their messages"
)]
mod phrase;

pub use self::filter::SessionOnly;
