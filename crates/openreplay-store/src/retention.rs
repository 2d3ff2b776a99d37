//! What is too old, or too much, is deleted: whole files, chosen by the days of the records in
//! them.
//!
//! Only deleting a file gives its space back. The days are those of the records' times and not of
//! the session ids: a client can send any id, also one that never ages.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use crate::damaged;
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
        for (shelf, paths) in days(&shared) {
            let first = match shelf.kind {
                Kind::Session => shared.options.first_day(now),
                Kind::NoSession => Day::of(now).minus(1),
            };
            if shelf.day < first {
                delete(writers, shelf, &paths);
            }
        }
        self.measure(writers, now);
        writers.close_past(Day::of(now));
        for file in shared.files() {
            file.close_reader();
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
                format!("today's records alone exceed the store's limit of {limit} bytes"),
            )))
        } else {
            Ok(())
        }
    }

    fn measure(&mut self, writers: &mut Writers, now: i64) {
        let limit = writers.shared.options.max_bytes;
        let shared = Arc::clone(&writers.shared);
        let mut days = days(&shared);
        let mut total: u64 = days.values().map(|paths| size(paths)).sum();
        // the records of today that have no session are before it
        let today = Shelf {
            day: Day::of(now),
            kind: Kind::Session,
        };
        let of_today = days.split_off(&today).remove(&today);
        for (shelf, paths) in days {
            if total <= limit {
                break;
            }
            shared.report(&deletion(&shelf.to_string(), total, limit));
            total = total.saturating_sub(size(&paths));
            delete(writers, shelf, &paths);
        }
        // a damaged file of today must not take the room of its successor
        let damaged = of_today.into_iter().flatten();
        for path in damaged.filter(|path| damaged::is_set_aside(path)) {
            if total <= limit {
                break;
            }
            shared.report(&deletion(&path.display().to_string(), total, limit));
            total = total.saturating_sub(size(slice::from_ref(&path)));
            remove(&shared, &[path]);
        }
        *self = Self {
            added: 0,
            is_over: total > limit,
        };
    }
}

/// Returns the files of each day, also those that were set aside, each database before the files
/// next to it.
fn days(shared: &Shared) -> BTreeMap<Shelf, Vec<PathBuf>> {
    let mut days = BTreeMap::<_, Vec<_>>::new();
    for file in shared.files() {
        days.entry(file.shelf).or_default();
    }
    match names(&shared.folder) {
        Ok(names) => {
            for name in names {
                if let Some(shelf) = damaged::day_of(&name) {
                    days.entry(shelf)
                        .or_default()
                        .push(shared.folder.join(name));
                }
            }
        }
        Err(error) => shared.report(&Error::io(&shared.folder, "read", error).with_causes()),
    }
    days.values_mut().for_each(|paths| paths.sort_unstable());
    days
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    let names: io::Result<Vec<_>> = names.collect();
    Ok(names?.into_iter().flatten().collect())
}

/// Deletes the files of a day in their order: a database without its write-ahead log lacks records,
/// but SQLite ignores a log without its database.
fn delete(writers: &mut Writers, shelf: Shelf, paths: &[PathBuf]) {
    writers.forget(shelf);
    remove(&writers.shared, paths);
}

fn remove(shared: &Shared, paths: &[PathBuf]) {
    for path in paths {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let text = format!("{} cannot be deleted: {error}", path.display());
                return shared.report(&text);
            }
            _ => {}
        }
    }
}

fn deletion(what: &str, total: u64, limit: u64) -> String {
    format!("{what} is deleted: the store has {total} bytes, and its limit is {limit}")
}

fn size(paths: &[PathBuf]) -> u64 {
    let files = paths.iter().filter_map(|path| fs::metadata(path).ok());
    files.map(|file| file.len()).sum()
}
