//! Tracing layers whose records OpenReplay shows beside the replay.
