//! What is too old, or too much, is deleted: whole files, chosen by the days of the records in
//! them.
//!
//! Only deleting a file gives its space back. The days are those of the records' times and not of
//! the session ids: a client can send any id, also one that never ages.

use std::fs;
use std::io;
use std::sync::Arc;

use crate::damaged::with;
use crate::error::{Error, Kind as ErrorKind};
use crate::key::{Day, Kind, Shelf};
use crate::shared::Shared;
use crate::writers::Writers;

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

    /// Deletes old days, and closes what is not in use.
    pub(crate) fn tidy(&mut self, writers: &mut Writers) {
        let shared = Arc::clone(&writers.shared);
        let now = shared.options.now();
        for shelf in shared.files().iter().map(|file| file.shelf) {
            let first = match shelf.kind {
                Kind::Session => shared.options.first_day(now),
                Kind::NoSession => Day::of(now).minus(1),
            };
            if shelf.day < first {
                delete(writers, shelf);
            }
        }
        self.measure(writers, now);
        writers.close_past(Day::of(now));
        for file in shared.files() {
            file.rest();
        }
        for writer in writers.iter() {
            if let Err(error) = writer.tidy() {
                shared.report(&error.with_causes());
            }
        }
    }

    /// Deletes the earliest days where there is too much.
    ///
    /// # Errors
    ///
    /// Where today alone is too much.
    pub(crate) fn make_room(&mut self, writers: &mut Writers, now: i64) -> Result<(), Arc<Error>> {
        let limit = writers.shared.options.max_bytes;
        if self.is_over || self.added >= limit / 64 {
            self.measure(writers, now);
        }
        if self.is_over {
            Err(Arc::new(Error::new(
                ErrorKind::Full,
                format!(
                    "today's records alone take more than the {limit} bytes that the store may take"
                ),
            )))
        } else {
            Ok(())
        }
    }

    fn measure(&mut self, writers: &mut Writers, now: i64) {
        let limit = writers.shared.options.max_bytes;
        let shared = Arc::clone(&writers.shared);
        let mut sizes: Vec<_> = shared
            .files()
            .iter()
            .map(|file| (file.shelf, size(&shared, file.shelf)))
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
            shared.report(&format!(
                "{shelf} is deleted: the store takes {total} bytes and may take {limit}"
            ));
            delete(writers, shelf);
            total -= size;
        }
        *self = Self {
            added: 0,
            is_over: total > limit,
        };
    }
}

fn delete(writers: &mut Writers, shelf: Shelf) {
    writers.forget(shelf);
    let shared = &writers.shared;
    for path in paths(shared, shelf) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                shared.report(&format!("{} cannot be deleted: {error}", path.display()));
            }
            _ => {}
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
