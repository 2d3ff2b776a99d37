//! Messages about this crate's own work, on standard error.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
};

/// Prints a line in one write, so that another process with the same pipe, such as a fork, cannot
/// write into it.
pub(crate) fn print(message: fmt::Arguments<'_>) {
    let mut line = String::from("tracing-openreplay: ");
    // `format!` would panic if a value in the message cannot be displayed.
    let _ = line.write_fmt(message);
    line.push('\n');
    // `eprintln!` would panic if standard error is closed, and a panic inside a panic hook aborts
    // the process.
    let _ = io::stderr().write_all(line.as_bytes());
}
