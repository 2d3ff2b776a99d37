//! The files that are open for writing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::damaged;
use crate::day::DayFile;
use crate::error::Error;
use crate::key::{Day, Shelf};
use crate::shared::Shared;
use crate::write::DayWriter;

/// The number of files open for writing. Records arrive for today, and are looked for in the files
/// of the days before and after; a shipper that catches up sends older days, too.
const MOST: usize = 6;

/// A connection to each file that was written to lately.
#[derive(Debug)]
pub(crate) struct Writers {
    pub(crate) shared: Arc<Shared>,
    open: BTreeMap<Shelf, DayWriter>,
}

impl Writers {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            open: BTreeMap::new(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &DayWriter> {
        self.open.values()
    }

    /// The writer of a file that exists.
    pub(crate) fn existing(&mut self, shelf: Shelf) -> Result<Option<&mut DayWriter>, Error> {
        match self.shared.file(shelf) {
            Some(_) => self.writer(shelf).map(Some),
            None => Ok(None),
        }
    }

    /// The writer of a file, which is created if it is missing.
    pub(crate) fn writer(&mut self, shelf: Shelf) -> Result<&mut DayWriter, Error> {
        if !self.open.contains_key(&shelf) {
            if self.open.len() >= MOST
                && let Some((_, mut earliest)) = self.open.pop_first()
            {
                self.close(&mut earliest);
            }
            let known = self.shared.file(shelf);
            let writer = DayWriter::open(&self.shared.folder, shelf, known)?;
            self.shared.add(Arc::clone(&writer.file));
            self.open.insert(shelf, writer);
        }
        // it was inserted if it was missing
        self.open.get_mut(&shelf).ok_or_else(Error::closed)
    }

    /// Moves pending rows to `record` before a file is closed.
    fn close(&self, writer: &mut DayWriter) {
        if let Err(error) = writer.settle().and_then(|()| writer.tidy()) {
            // nothing is lost: it is read from `landing` the next time
            self.shared.report(&error.with_causes());
        }
    }

    /// Moves the pending rows of past days to `record`, and closes their files, so that these rows
    /// do not stay in memory.
    pub(crate) fn close_past(&mut self, today: Day) {
        for file in self.shared.files() {
            if file.shelf.day >= today || file.pending().is_empty() {
                continue;
            }
            match self.writer(file.shelf).and_then(DayWriter::settle) {
                Ok(()) => {
                    if let Some(mut writer) = self.open.remove(&file.shelf) {
                        self.close(&mut writer);
                    }
                }
                Err(error) if error.is_damaged() => self.set_aside(&file),
                Err(error) => self.shared.report(&error.with_causes()),
            }
        }
    }

    /// Keeps a damaged file for people to look at, and goes on without it.
    pub(crate) fn set_aside(&mut self, file: &Arc<DayFile>) {
        let shelf = file.shelf;
        // two readers may have found the same damage
        if self
            .shared
            .file(shelf)
            .is_some_and(|current| Arc::ptr_eq(&current, file))
        {
            self.open.remove(&shelf);
            self.shared.remove(shelf);
            damaged::set_aside(&self.shared, shelf);
        }
    }

    /// Moves all pending rows to `record`, and closes all files.
    pub(crate) fn close_all(&mut self) {
        for (_, mut writer) in std::mem::take(&mut self.open) {
            self.close(&mut writer);
        }
    }

    /// Forgets a file that is to be deleted.
    pub(crate) fn forget(&mut self, shelf: Shelf) {
        self.open.remove(&shelf);
        self.shared.remove(shelf);
    }
}
