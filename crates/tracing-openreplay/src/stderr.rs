//! Messages about this crate's own work, on standard error.

use std::{
    fmt,
    io::{self, Write as _},
};

/// Prints a line in one write, so that another process with the same pipe, such as a fork, cannot
/// write into it.
pub(crate) fn print(message: fmt::Arguments<'_>) {
    let line = format!("tracing-openreplay: {message}\n");
    // `eprintln!` would panic if standard error is closed, and a panic inside a panic hook aborts
    // the process.
    let _ = io::stderr().write_all(line.as_bytes());
}
