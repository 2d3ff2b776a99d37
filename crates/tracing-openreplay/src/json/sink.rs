//! Passes a finished record to the writer.

use std::{
    fmt,
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tracing_core::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::{busy::Busy, losses::Counter};
use crate::{panic_stage::is_hook_running, text::Contained};

/// The state of the writer.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) losses: Counter,
    has_panicked: AtomicBool,
    /// Whether the output may end with an incomplete record, since the last write failed. A line
    /// break then precedes the next record.
    is_torn: AtomicBool,
}

/// Passes a record to the writer in a single call.
///
/// If the writer itself logs, these records are not passed to it, which would cause an infinite
/// recursion.
pub(super) fn write<'w>(
    make_writer: &'w impl MakeWriter<'w>,
    metadata: &Metadata<'_>,
    line: &[u8],
    state: &State,
) {
    let losses = &state.losses;
    let Some(_busy) = Busy::with_writer() else {
        if is_hook_running() {
            losses.note(|counts| &counts.hook, &"");
        } else {
            losses.note(|counts| &counts.logs, &"");
        }
        return;
    };
    if state.has_panicked.load(Ordering::Relaxed) && is_hook_running() {
        losses.note(|counts| &counts.hook, &"");
        return;
    }
    let write = |bytes: &[u8]| make_writer.make_writer_for(metadata).write_all(bytes);
    // With `write_all` instead of a loop, standard output remains locked, and a tee writes to both
    // of its sides.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        if state.is_torn.load(Ordering::Relaxed) {
            write(&[b"\n", line].concat())
        } else {
            write(line)
        }
    }));
    state.note(outcome);
}

impl State {
    fn note(&self, outcome: thread::Result<io::Result<()>>) {
        match outcome {
            Ok(Ok(())) => {
                if self.is_torn.load(Ordering::Relaxed) {
                    self.is_torn.store(false, Ordering::Relaxed);
                }
                self.losses.counts().remind();
            }
            Ok(Err(error)) => {
                self.is_torn.store(true, Ordering::Relaxed);
                self.losses.note(|counts| &counts.failed, &Failed(&error));
            }
            Err(_) => {
                self.is_torn.store(true, Ordering::Relaxed);
                self.has_panicked.store(true, Ordering::Relaxed);
                self.losses.note(|counts| &counts.panicked, &"");
            }
        }
    }
}

/// Displays the error of a failed write. A custom error's `Display` may panic, which would abort
/// the process in a panic hook, so only the error's kind is displayed there.
struct Failed<'a>(&'a io::Error);

impl fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.get_ref().is_some() && is_hook_running() {
            return write!(f, ": {}", self.0.kind());
        }
        write!(f, ": {:?}", Contained(&format_args!("{}", self.0)))
    }
}
