//! What the tests of several crates share. It depends on none of them.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "not published"
)]

pub mod elasticsearch;
pub mod fixed;
pub mod http;
pub mod json;
mod lines;
mod null;
pub mod scripted;

pub use self::{
    elasticsearch::{Fault, StandIn, StoredIn},
    fixed::{FixedResponse, FixedServer},
    lines::Lines,
    null::NullEndpoint,
    scripted::{Reply, Scripted},
};
