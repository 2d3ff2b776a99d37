//! Ports for programs that have to be told theirs.

use std::{
    net::TcpListener,
    process,
    sync::{Mutex, PoisonError},
};

/// A port that is free now, below the range that the system gives its own from: nobody gets it by
/// chance before the program binds it, or between two runs of it. No port is given twice, since a
/// program may take a while to start.
///
/// # Panics
///
/// When none of thousands is free.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: Mutex<u16> = Mutex::new(0);
    // processes at the same time begin at different ones
    let first = 20_000 + u16::try_from(process::id() % 1_000 * 10).expect("it is small");
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    *given = (first.max(*given + 1)..32_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of thousands of ports is free");
    *given
}
