use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use openreplay_record::terminal;
use openreplay_session::SessionId;

use crate::batch::Batch;
use crate::damaged;
use crate::entry::{Entry, Outcome};
use crate::error::{Error, Kind};
use crate::folder;
use crate::ingest::Ingest;
use crate::lock::Lock;
use crate::message::{Job, Message};
use crate::query::Record;
use crate::room::Room;
use crate::shared::{Access, Options, Shared};

/// A store of log records in a folder, with one file per day.
///
/// Clones refer to the same store. When the last clone is dropped, the waiting records are stored
/// and the store is closed.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    _lock: Option<Lock>,
}

/// A builder for a [`Store`].
#[must_use = "nothing is opened before `open`"]
pub struct StoreBuilder {
    folder: PathBuf,
    options: Options,
}

impl Store {
    /// Opens the store in a folder with default options.
    ///
    /// # Errors
    ///
    /// See [`StoreBuilder::open`].
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::builder(folder).open()
    }

    /// Creates a builder for a store in a folder.
    pub fn builder(folder: impl Into<PathBuf>) -> StoreBuilder {
        let options = Options {
            max_age: Duration::from_secs(14 * 24 * 60 * 60),
            max_bytes: 20_000_000_000,
            reporter: Box::new(report_to_stderr),
            now: SystemTime::now,
        };
        StoreBuilder {
            folder: folder.into(),
            options,
        }
    }

    /// Returns the earliest records of a session in time order, at most `limit`.
    ///
    /// Records with the same time are sorted by `_id`. This method blocks the thread while SQLite
    /// reads, usually for well under a millisecond.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read. Damaged files are omitted and reported instead.
    pub fn session(&self, id: &SessionId, limit: usize) -> Result<Vec<Record>, Error> {
        self.session_within(id, Room::records(limit))
    }

    pub(crate) fn session_within(&self, id: &SessionId, room: Room) -> Result<Vec<Record>, Error> {
        match id.as_u64() {
            Some(id) => self.inner.shared.session(id, room),
            // OpenReplay queries no other ids, so no other are stored
            None => Ok(Vec::new()),
        }
    }

    /// Returns the number of records of a session.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub fn count(&self, id: &SessionId) -> Result<u64, Error> {
        id.as_u64().map_or(Ok(0), |id| self.inner.shared.count(id))
    }

    /// Returns the number of records in the store.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.inner.shared.total()
    }

    /// Calls `each` for every record: the earliest day first, and each day by session and time.
    ///
    /// Records that are stored in the meantime may be omitted.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read, or the error that `each` returns.
    pub fn export<E: From<Error>>(
        &self,
        each: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        self.inner.shared.export(each)
    }

    /// Deletes records that exceed the limits of age and size, and releases memory.
    ///
    /// The store also does this once a minute.
    pub fn tidy(&self) {
        let (done, wait) = mpsc::channel();
        if self.inner.shared.send(Message::Tidy(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    /// Stores records, and returns the outcome of each, in the same order.
    ///
    /// This method blocks the thread until the stored records are on disk.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is closed, or was opened for reading only.
    pub fn write(&self, batch: Batch) -> Result<Vec<Outcome>, Error> {
        let (entries, known) = batch.into_parts();
        let (done, wait) = mpsc::sync_channel(1);
        self.submit(entries, move |outcomes| {
            let _ = done.send(outcomes);
        });
        let outcomes = wait.recv().map_err(|_| Error::closed())?;
        Ok(known.fill(outcomes))
    }

    pub(crate) fn reporter(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let shared = Arc::clone(&self.inner.shared);
        move |text| shared.report(text)
    }

    /// Stores entries. `done` is called on the store's thread, or dropped if the store is closed.
    pub(crate) fn submit(
        &self,
        entries: Vec<Entry>,
        done: impl FnOnce(Vec<Outcome>) + Send + 'static,
    ) {
        let job = Job {
            entries,
            done: Box::new(done),
        };
        // dropping the job tells its sender
        let _ = self.inner.shared.send(Message::Store(job));
    }

    /// Returns some records of the latest days, at most `limit`, in no particular order.
    ///
    /// Use this to check whether the store contains records.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub fn sample(&self, limit: usize) -> Result<Vec<Record>, Error> {
        self.sample_within(Room::records(limit))
    }

    pub(crate) fn sample_within(&self, room: Room) -> Result<Vec<Record>, Error> {
        self.inner.shared.sample(room)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.shared.send(Message::Stop);
        self.shared.connect(None);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // a panic there has been reported by its hook
            let _ = thread.join();
        }
    }
}

impl StoreBuilder {
    /// Sets how long records are kept, in whole days. Default: 14 days.
    ///
    /// The age of a record is that of its time. Records without a session are kept for one day
    /// after their arrival.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.options.max_age = age;
        self
    }

    /// Sets the maximum total size of the files. Default: 20 GB.
    ///
    /// If the files exceed this size, the earliest days are deleted, including damaged files that
    /// were set aside. The records of today that have no session are deleted last. If the records
    /// of today's sessions alone exceed the size, new records are not accepted.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.options.max_bytes = bytes;
        self
    }

    /// Sets a function that is called with reports, for example of a damaged file. Default: prints
    /// to standard error.
    ///
    /// The function is called on the store's own threads and must not block.
    pub fn on_diagnostic(mut self, reporter: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.options.reporter = Box::new(reporter);
        self
    }

    #[cfg(test)]
    pub(crate) fn at(mut self, now: fn() -> SystemTime) -> Self {
        self.options.now = now;
        self
    }

    /// Opens the store, creates its folder if it is missing, and starts its thread.
    ///
    /// # Errors
    ///
    /// Returns an error if another process has the store open, which the message names, or if the
    /// folder cannot be used. A damaged file is not an error: the file is renamed and reported.
    pub fn open(self) -> Result<Store, Error> {
        let folder = &self.folder;
        folder::create(folder)?;
        let lock = Lock::take(folder)?;
        let (shared, damaged) = Shared::open(folder, self.options, Access::Write)?;
        for (shelf, error) in damaged {
            if !error.is_damaged() {
                return Err(error);
            }
            damaged::set_aside(&shared, shelf);
        }
        let shared = Arc::new(shared);
        let (jobs, messages) = mpsc::channel();
        let thread = start(Ingest::new(Arc::clone(&shared)), messages)?;
        shared.connect(Some(jobs));
        let inner = Inner {
            shared,
            thread: Mutex::new(Some(thread)),
            _lock: Some(lock),
        };
        Ok(Store {
            inner: Arc::new(inner),
        })
    }

    /// Opens the store for reading only. Another process can write to it at the same time.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder or a file in it cannot be read. A damaged file is reported
    /// and omitted.
    pub fn open_to_read(self) -> Result<Store, Error> {
        let (shared, damaged) = Shared::open(&self.folder, self.options, Access::Read)?;
        for (_, error) in damaged {
            if !error.is_damaged() {
                return Err(error);
            }
            shared.report(&format!("{error}; the file is skipped"));
        }
        let inner = Inner {
            shared: Arc::new(shared),
            thread: Mutex::default(),
            _lock: None,
        };
        Ok(Store {
            inner: Arc::new(inner),
        })
    }
}

impl std::fmt::Debug for StoreBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreBuilder")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

fn start(ingest: Ingest, messages: Receiver<Message>) -> Result<JoinHandle<()>, Error> {
    let builder = thread::Builder::new().name("openreplay-store".to_owned());
    builder
        .spawn(move || ingest.run(&messages))
        .map_err(|error| {
            Error::new(Kind::Io, "the thread that writes to the store cannot start")
                .with_source(error)
        })
}

fn report_to_stderr(text: &str) {
    // the reader may be gone
    let _ = io::stderr().write_all(report_line(text).as_bytes());
}

/// Returns a report as one line: file names and the system's reasons are untrusted text.
fn report_line(text: &str) -> String {
    format!("openreplay-store: {}\n", terminal::escape_to_line(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_whatever_a_file_is_called() {
        let line = report_line("a\n<3>b\tc\u{1b}[2J is damaged");
        let expected = "openreplay-store: a <3>b c\\u{1b}[2J is damaged\n";
        assert_eq!(line, expected);
    }
}
