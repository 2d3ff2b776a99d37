//! What is too old, or too much, is deleted: whole files, chosen by the days of the records in them.
//!
//! Only deleting a file gives its space back. The days are those of the records' times and not of the session ids: a client can
//! send any id, also one that never ages.

use std::fs;
use std::io;
use std::sync::Arc;

use crate::damaged::with;
use crate::error::{Error, Kind as ErrorKind};
use crate::ingest::Ingest;
use crate::key::{Day, Kind, Shelf};
use crate::shared::Shared;

/// How much the store takes on disk, measured now and then.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Since it was measured.
    added: u64,
    is_over: bool,
}

impl Usage {
    /// What a batch may add.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.added = self.added.saturating_add(bytes as u64);
    }
}

impl Ingest {
    /// Deletes old days, and closes what is not in use.
    pub(crate) fn tidy(&mut self) {
        let now = self.shared.options.now();
        for shelf in self.shared.files().iter().map(|file| file.shelf) {
            let first = match shelf.kind {
                Kind::Session => self.shared.options.first_day(now),
                Kind::NoSession => Day::of(now).minus(1),
            };
            if shelf.day < first {
                self.delete(shelf);
            }
        }
        self.measure(now);
        for file in self.shared.files() {
            file.rest();
        }
        for writer in self.writers.values() {
            if let Err(error) = writer.tidy() {
                self.shared.report(&error.with_causes());
            }
        }
    }

    /// Deletes the earliest days where there is too much.
    ///
    /// # Errors
    ///
    /// Where today alone is too much.
    pub(crate) fn make_room(&mut self, now: i64) -> Result<(), Arc<Error>> {
        let limit = self.shared.options.max_bytes;
        if self.usage.is_over || self.usage.added >= limit / 64 {
            self.measure(now);
        }
        match self.usage.is_over {
            false => Ok(()),
            true => Err(Arc::new(Error::new(
                ErrorKind::Full,
                format!(
                    "today's records alone take more than the {limit} bytes that the store may take"
                ),
            ))),
        }
    }

    fn measure(&mut self, now: i64) {
        let limit = self.shared.options.max_bytes;
        let mut sizes: Vec<_> = self
            .shared
            .files()
            .iter()
            .map(|file| (file.shelf, size(&self.shared, file.shelf)))
            .collect();
        let mut total: u64 = sizes.iter().map(|(_, size)| size).sum();
        let today = Shelf {
            day: Day::of(now),
            kind: Kind::Session,
        };
        sizes.retain(|(shelf, _)| *shelf < today);
        for (shelf, size) in sizes {
            if total <= limit {
                break;
            }
            self.shared.report(&format!(
                "{shelf} is deleted: the store takes {total} bytes and may take {limit}"
            ));
            self.delete(shelf);
            total -= size;
        }
        self.usage = Usage {
            added: 0,
            is_over: total > limit,
        };
    }

    fn delete(&mut self, shelf: Shelf) {
        self.writers.remove(&shelf);
        self.shared.remove(shelf);
        for path in paths(&self.shared, shelf) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => self
                    .shared
                    .report(&format!("{} cannot be deleted: {error}", path.display())),
                _ => {}
            }
        }
    }
}

/// The database last: without it, the others are nothing.
fn paths(shared: &Shared, shelf: Shelf) -> [std::path::PathBuf; 3] {
    let path = shared.folder.join(shelf.to_string());
    ["-shm", "-wal", ""].map(|ending| with(&path, ending))
}

fn size(shared: &Shared, shelf: Shelf) -> u64 {
    let paths = paths(shared, shelf);
    paths
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|file| file.len())
        .sum()
}
