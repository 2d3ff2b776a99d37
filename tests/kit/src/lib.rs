//! What the tests of several crates share. It depends on none of them.

pub mod json;
mod lines;

pub use self::lines::Lines;
