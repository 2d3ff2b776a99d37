//! A writer for log lines, which stores them in the background.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use openreplay_buffer::{Buffer, Diagnostics, Flushed, Options, Priority, Stats};
use tracing_subscriber::fmt::MakeWriter;

use self::numbered::Numbered;
use crate::error::{Error, Kind};
use crate::store::Store;

mod numbered;
mod worker;

type Shared = Buffer<Numbered>;

/// The maximum time that a dropped [`Guard`] waits for the remaining records.
const PATIENCE: Duration = Duration::from_secs(5);

/// A writer that stores lines, each a JSON object, in the background.
///
/// It implements [`MakeWriter`], and clones write to the same buffer. A log call copies the line
/// into a buffer of 32 MiB; it never waits for the disk and never fails. If the buffer is full,
/// debug and info records are dropped before warnings and errors, and a record with their number is
/// stored. [`Stats`] counts the records by outcome.
#[derive(Clone, Debug)]
pub struct StoreWriter {
    shared: Arc<Shared>,
}

/// A guard that stores the remaining records when it is dropped, for at most 5 seconds.
#[derive(Debug)]
#[must_use = "dropped at once, it ends the writer at once: keep it until the end of `main`"]
pub struct Guard {
    shared: Arc<Shared>,
}

impl Store {
    /// Starts a writer for the layers of `tracing-openreplay`.
    ///
    /// A separate thread stores the written records about five times a second.
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
    /// Returns an error if the thread cannot be started.
    pub fn writer(&self) -> Result<(StoreWriter, Guard), Error> {
        // not a clone of the store, which would be open as long as the writer exists
        let diagnostics = Diagnostics::to(self.reporter());
        self.writer_with(Options::new("the store"), diagnostics)
    }

    pub(crate) fn writer_with(
        &self,
        options: Options,
        diagnostics: Diagnostics,
    ) -> Result<(StoreWriter, Guard), Error> {
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
            .spawn(move || worker::run(store, &its, &runtime))
            .map_err(failed)?;
        Ok((
            StoreWriter {
                shared: Arc::clone(&shared),
            },
            Guard { shared },
        ))
    }
}

impl StoreWriter {
    /// Writes one or more lines. The last line may lack its line feed.
    pub fn write_line(&self, line: &[u8]) {
        self.shared.push(line, None);
    }

    /// Returns how many records were accepted, stored, rejected and dropped so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl<'a> MakeWriter<'a> for StoreWriter {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter::new(&self.shared, None)
    }

    fn make_writer_for(&'a self, metadata: &tracing_core::Metadata<'_>) -> LineWriter<'a> {
        LineWriter::new(&self.shared, Some(Priority::from(*metadata.level())))
    }
}

/// A writer for the text of one record, in any number of writes. Writing never fails.
#[derive(Debug)]
#[must_use = "it does nothing until it is written to"]
pub struct LineWriter<'a>(openreplay_buffer::LineWriter<'a, Numbered>);

impl<'a> LineWriter<'a> {
    fn new(shared: &'a Shared, priority: Option<Priority>) -> Self {
        Self(openreplay_buffer::LineWriter::new(shared, priority))
    }
}

impl Write for LineWriter<'_> {
    #[inline]
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Guard {
    /// Blocks the thread until all current records are stored, for at most `limit`.
    ///
    /// In async code, use `spawn_blocking`.
    pub fn flush(&self, limit: Duration) -> Flushed {
        self.shared.flush(limit)
    }

    /// Blocks the thread until the remaining records are stored, for at most `limit`, and stops the
    /// writer.
    pub fn shutdown(self, limit: Duration) -> Flushed {
        self.shared.shut_down(limit)
    }

    /// Returns how many records were accepted, stored, rejected and dropped so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.shared.shut_down(PATIENCE);
    }
}
