//! From log lines in the app to the store, in the background.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use openreplay_buffer::{Buffer, Diagnostics, Flushed, LineWriter, Options, Priority, Stats};
use tracing_subscriber::fmt::MakeWriter;

use self::numbered::Numbered;
use crate::error::{Error, Kind};
use crate::store::Store;

mod numbered;
mod worker;

type Shared = Buffer<Numbered>;

/// How long the [`WriterGuard`], when it is dropped, waits for the remaining records.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes lines, each a JSON object, and stores them in the background.
///
/// It is a [`MakeWriter`]; clones write to the same buffer. A log call never waits for the disk,
/// and never fails: it copies the line into a buffer of 32 MiB. If the buffer is full, debug and
/// info records are dropped before warnings and errors, and a record with their number is stored.
/// [`Stats`] tells what became of all records.
#[derive(Clone, Debug)]
pub struct StoreWriter {
    shared: Arc<Shared>,
}

/// Keeps the writer alive: when it is dropped, the remaining records are stored, for at most 5
/// seconds.
#[derive(Debug)]
#[must_use = "dropped at once, it ends the writer at once: keep it until the end of `main`"]
pub struct WriterGuard {
    shared: Arc<Shared>,
}

impl Store {
    /// Starts a thread that stores what is written to the returned writer, about five times a
    /// second.
    ///
    /// ```
    /// use openreplay_store::Store;
    /// use tracing_subscriber::prelude::*;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let store = Store::open(folder)?;
    /// let (writer, _guard) = store.writer()?;
    /// tracing_subscriber::registry()
    ///     .with(tracing_openreplay::json().with_writer(writer))
    ///     .init();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the thread cannot start.
    pub fn writer(&self) -> Result<(StoreWriter, WriterGuard), Error> {
        let reports = self.clone();
        let diagnostics = Diagnostics::to(move |text| reports.report(text));
        self.writer_with(Options::new("the store"), diagnostics)
    }

    pub(crate) fn writer_with(
        &self,
        options: Options,
        diagnostics: Diagnostics,
    ) -> Result<(StoreWriter, WriterGuard), Error> {
        let shared = Arc::new(Shared::new(options, Numbered::default(), diagnostics));
        let failed = |error: io::Error| {
            let text = "the thread that passes records on to the store cannot start";
            Error::new(Kind::Io, text).with_source(error)
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = runtime.map_err(failed)?;
        let (store, its) = (self.clone(), Arc::clone(&shared));
        let builder = thread::Builder::new().name("openreplay-writer".to_owned());
        builder
            .spawn(move || worker::run(&store, &its, &runtime))
            .map_err(failed)?;
        Ok((
            StoreWriter {
                shared: Arc::clone(&shared),
            },
            WriterGuard { shared },
        ))
    }
}

impl StoreWriter {
    /// Takes one line, with or without its line feed. Of several lines, each is taken.
    pub fn write_line(&self, line: &[u8]) {
        self.shared.push(line, None);
    }

    /// Returns what became of the records so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl<'a> MakeWriter<'a> for StoreWriter {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(LineWriter::new(&self.shared, None))
    }

    fn make_writer_for(&'a self, metadata: &tracing_core::Metadata<'_>) -> Line<'a> {
        Line(LineWriter::new(
            &self.shared,
            Some(Priority::from(*metadata.level())),
        ))
    }
}

/// Takes one record's text, in any number of writes. Writing never fails.
#[derive(Debug)]
#[must_use = "it does nothing until it is written to"]
pub struct Line<'a>(LineWriter<'a, Numbered>);

impl Write for Line<'_> {
    #[inline]
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl WriterGuard {
    /// Waits until all current records are stored, for at most `limit`. Blocks the thread: in async
    /// code, use `spawn_blocking`.
    pub fn flush(&self, limit: Duration) -> Flushed {
        self.shared.flush(limit)
    }

    /// Stores the remaining records, for at most `limit`, then ends the writer. Blocks the thread.
    pub fn shutdown(self, limit: Duration) -> Flushed {
        self.shared.shut_down(limit)
    }

    /// Returns what became of the records so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        let _ = self.shared.shut_down(PATIENCE);
    }
}
