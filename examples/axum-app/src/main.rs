//! An axum app whose log records OpenReplay shows beside the replay.

fn main() {}
