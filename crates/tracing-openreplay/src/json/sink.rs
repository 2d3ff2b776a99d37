//! A finished record on its way out.

use std::{
    fmt::Display,
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tracing_core::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::busy::Busy;
use crate::panics;

/// How often a sink that fails is spoken of.
const INTERVAL: Duration = Duration::from_secs(10);

/// Hands a record to the writer, all of it in one call.
///
/// A writer that logs is not asked to write what it logs: it would never end.
pub(super) fn write<'w>(
    make_writer: &'w impl MakeWriter<'w>,
    metadata: &Metadata<'_>,
    line: &[u8],
    losses: &Losses,
) {
    let Some(_busy) = Busy::with_writer() else {
        let is_own_panic = panics::is_hook_running();
        let loss = if is_own_panic {
            &losses.hook
        } else {
            &losses.logs
        };
        loss.note(&"");
        return;
    };
    if losses.has_panicked.load(Ordering::Relaxed) && panics::is_hook_running() {
        losses.hook.note(&"");
        return;
    }
    let write = |bytes: &[u8]| make_writer.make_writer_for(metadata).write_all(bytes);
    // `write_all` and no loop of our own: standard output stays locked in it, and a tee writes to both of its sides
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        if losses.torn.load(Ordering::Relaxed) {
            write(&[b"\n", line].concat())
        } else {
            write(line)
        }
    }));
    match outcome {
        Ok(Ok(())) => losses.remind(),
        Ok(Err(error)) => losses.tear(&losses.failed, &format_args!(": {error}")),
        Err(_) => {
            losses.has_panicked.store(true, Ordering::Relaxed);
            losses.tear(&losses.panicked, &"");
        }
    }
}

/// The records that the writer did not take: counted by reason, and reported on standard error now and then.
#[derive(Debug)]
pub(super) struct Losses {
    failed: Loss,
    panicked: Loss,
    logs: Loss,
    /// The records of panics that were not passed to a writer that had panicked before: in a panic hook that would abort.
    hook: Loss,
    has_panicked: AtomicBool,
    /// Whether a part of a record may have been the last thing written: nobody can tell how far a failed writer came. A line
    /// break ends that part, so that it does not spoil the next record.
    torn: AtomicBool,
}

impl Default for Losses {
    fn default() -> Self {
        Self {
            failed: Loss::new("the writer failed"),
            panicked: Loss::new("the writer panicked"),
            logs: Loss::new("the writer itself logs"),
            hook: Loss::new("the record of a panic, and the writer itself panicked"),
            has_panicked: AtomicBool::new(false),
            torn: AtomicBool::new(false),
        }
    }
}

impl Losses {
    #[cold]
    fn tear(&self, loss: &Loss, detail: &dyn Display) {
        self.torn.store(true, Ordering::Relaxed);
        loss.note(detail);
    }

    /// Reports what was lost since the last report, once records pass again.
    fn remind(&self) {
        if self.torn.load(Ordering::Relaxed) {
            self.torn.store(false, Ordering::Relaxed);
        }
        for loss in self.all() {
            if loss.unsaid.load(Ordering::Relaxed) != 0 {
                loss.say(&"");
            }
        }
    }

    fn all(&self) -> [&Loss; 4] {
        [&self.failed, &self.panicked, &self.logs, &self.hook]
    }
}

impl Drop for Losses {
    fn drop(&mut self) {
        for loss in self.all() {
            loss.report(&"");
        }
    }
}

#[derive(Debug)]
struct Loss {
    reason: &'static str,
    unsaid: AtomicU64,
    said: Mutex<Option<Instant>>,
}

impl Loss {
    fn new(reason: &'static str) -> Self {
        Self {
            reason,
            unsaid: AtomicU64::new(0),
            said: Mutex::new(None),
        }
    }

    #[cold]
    fn note(&self, detail: &dyn Display) {
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        self.say(detail);
    }

    #[cold]
    fn say(&self, detail: &dyn Display) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|said| said.elapsed() < INTERVAL) {
            return;
        }
        *said = Some(Instant::now());
        drop(said);
        self.report(detail);
    }

    fn report(&self, detail: &dyn Display) {
        let lost = self.unsaid.swap(0, Ordering::Relaxed);
        if lost != 0 {
            // not `eprintln!`, which panics where standard error is closed
            let _ = writeln!(
                io::stderr(),
                "tracing-openreplay: lost {lost} record(s): {}{detail}",
                self.reason
            );
        }
    }
}
