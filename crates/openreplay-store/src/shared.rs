//! What the store's users and the thread that writes have in common.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use crate::day::DayFile;
use crate::error::Error;
use crate::key::{Day, Shelf};
use crate::message::Message;
use crate::write::DayWriter;

type Reporter = Box<dyn Fn(&str) + Send + Sync>;

/// How a store behaves.
pub(crate) struct Options {
    pub(crate) max_age: Duration,
    pub(crate) max_bytes: u64,
    pub(crate) reporter: Reporter,
    pub(crate) now: fn() -> SystemTime,
}

impl Options {
    /// Nanoseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let since = (self.now)()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }

    /// The first day whose records are kept.
    pub(crate) fn first_day(&self, now: i64) -> Day {
        let days = self.max_age.as_secs().div_ceil(24 * 60 * 60);
        Day::of(now).minus(i64::try_from(days).unwrap_or(i64::MAX))
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// An open store.
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    pub(crate) options: Options,
    files: RwLock<BTreeMap<Shelf, Arc<DayFile>>>,
    /// To the thread that writes; `None` where the store is only read.
    jobs: Mutex<Option<Sender<Message>>>,
}

impl Shared {
    /// Opens the files that are there. Returns those that cannot be opened, too.
    pub(crate) fn open(
        folder: &Path,
        options: Options,
        access: Access,
    ) -> Result<(Self, Vec<(Shelf, Error)>), Error> {
        let mut damaged = Vec::new();
        let shared = Self {
            folder: folder.to_owned(),
            options,
            files: RwLock::default(),
            jobs: Mutex::default(),
        };
        for shelf in Self::shelves(folder)? {
            match shared.load(shelf, access) {
                // deleted by another process since the list was made
                Err(_) if !folder.join(shelf.to_string()).exists() => {}
                Err(error) => damaged.push((shelf, error)),
                Ok(()) => {}
            }
        }
        Ok((shared, damaged))
    }

    /// Opens a day's file. A process that was killed leaves pending rows: those of a past day are
    /// moved to `record`, so that they do not stay in memory.
    fn load(&self, shelf: Shelf, access: Access) -> Result<(), Error> {
        let Some(file) = DayFile::open_to_read(&self.folder, shelf)? else {
            return Ok(());
        };
        let file = Arc::new(file);
        let is_past = shelf.day < Day::of(self.options.now());
        if access == Access::Write && is_past && !file.pending().is_empty() {
            let writer = DayWriter::open(&self.folder, shelf, Some(Arc::clone(&file)));
            match writer.and_then(|mut writer| writer.settle()) {
                Err(error) if error.is_damaged() => return Err(error),
                // nothing is lost: the rows stay pending
                Err(error) => self.report(&error.with_causes()),
                Ok(()) => {}
            }
        }
        self.add(file);
        Ok(())
    }

    /// The days that have files in the folder.
    fn shelves(folder: &Path) -> Result<Vec<Shelf>, Error> {
        let failed = |error| Error::io(folder, "read", error);
        let mut shelves = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            shelves.extend(name.to_str().and_then(|name| name.parse::<Shelf>().ok()));
        }
        shelves.sort_unstable();
        Ok(shelves)
    }

    pub(crate) fn file(&self, shelf: Shelf) -> Option<Arc<DayFile>> {
        self.files
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&shelf)
            .cloned()
    }

    /// All files, the earliest day first.
    pub(crate) fn files(&self) -> Vec<Arc<DayFile>> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        files.values().cloned().collect()
    }

    pub(crate) fn add(&self, file: Arc<DayFile>) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.insert(file.shelf, file);
    }

    pub(crate) fn remove(&self, shelf: Shelf) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.remove(&shelf);
    }

    pub(crate) fn connect(&self, jobs: Option<Sender<Message>>) {
        *self.jobs.lock().unwrap_or_else(PoisonError::into_inner) = jobs;
    }

    /// Passes something on to the thread that writes; gives it back where there is none.
    pub(crate) fn send(&self, message: Message) -> Result<(), Message> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match &*jobs {
            Some(jobs) => jobs.send(message).map_err(|unsent| unsent.0),
            None => Err(message),
        }
    }

    pub(crate) fn report(&self, text: &str) {
        (self.options.reporter)(text);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
