//! A finished record on its way out.

use std::{
    cell::Cell,
    io::{self, Write as _},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tracing_core::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// How often a sink that fails is spoken of.
const INTERVAL: Duration = Duration::from_secs(10);

thread_local! {
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

/// Hands a record to the writer, all of it in one call.
///
/// A writer that logs is not asked to write what it logs: it would never end.
pub(super) fn write<'w>(
    make_writer: &'w impl MakeWriter<'w>,
    metadata: &Metadata<'_>,
    line: &[u8],
    losses: &Losses,
) {
    let Some(_writing) = Writing::begin() else {
        losses.note(&"the writer itself logs");
        return;
    };
    match make_writer.make_writer_for(metadata).write_all(line) {
        Ok(()) => losses.remind(),
        Err(error) => losses.note(&error),
    }
}

struct Writing;

impl Writing {
    /// `None` where this thread is writing a record already.
    fn begin() -> Option<Self> {
        // while the thread ends there is no way to tell: the record counts
        let busy = WRITING
            .try_with(|writing| writing.replace(true))
            .unwrap_or(false);
        (!busy).then_some(Self)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = WRITING.try_with(|writing| writing.set(false));
    }
}

/// The records that the writer did not take: counted, and reported on standard error now and then.
#[derive(Debug, Default)]
pub(super) struct Losses {
    unsaid: AtomicU64,
    said: Mutex<Option<Instant>>,
}

impl Losses {
    #[cold]
    fn note(&self, reason: &dyn std::fmt::Display) {
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        self.say(reason);
    }

    /// Reports what was lost since the last report, once records pass again.
    fn remind(&self) {
        if self.unsaid.load(Ordering::Relaxed) != 0 {
            self.say(&"the writer works again");
        }
    }

    #[cold]
    fn say(&self, reason: &dyn std::fmt::Display) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|said| said.elapsed() < INTERVAL) {
            return;
        }
        *said = Some(Instant::now());
        drop(said);
        self.report(reason);
    }

    fn report(&self, reason: &dyn std::fmt::Display) {
        let lost = self.unsaid.swap(0, Ordering::Relaxed);
        if lost != 0 {
            // not `eprintln!`, which panics where standard error is closed
            let _ = writeln!(
                io::stderr(),
                "tracing-openreplay: lost {lost} record(s): {reason}"
            );
        }
    }
}

impl Drop for Losses {
    fn drop(&mut self) {
        self.report(&"the writer failed");
    }
}
