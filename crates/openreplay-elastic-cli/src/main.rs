//! The command `openreplay-elastic`.

fn main() {}
