//! What the tests of several crates share. It depends on none of them.

pub mod answers;
pub mod elasticsearch;
pub mod http;
pub mod json;
mod lines;
mod null;
pub mod scripted;

pub use self::{
    answers::{Answer, Answers},
    elasticsearch::{Fault, StandIn, StoredIn},
    lines::Lines,
    null::NullEndpoint,
    scripted::{Reply, Scripted},
};
