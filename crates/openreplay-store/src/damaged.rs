//! A file that SQLite cannot read is kept for people to look at; the other days keep working.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::key::Shelf;
use crate::shared::Shared;

/// What follows the name of a database in the names of its files. The write-ahead log comes first:
/// a database without it can still be opened, but SQLite deletes a log without its database.
const SQLITE_FILES: [&str; 3] = ["-wal", "-shm", ""];
const DAMAGED: &str = "damaged-";

/// Renames the files of a day, so that a new file can take their place.
pub(crate) fn set_aside(shared: &Shared, shelf: Shelf) {
    let aside = free_path(&shared.folder, shelf);
    for ending in SQLITE_FILES {
        let from = with(&shared.folder.join(shelf.to_string()), ending);
        if let Err(error) = fs::rename(&from, with(&aside, ending))
            && from.exists()
        {
            shared.report(&format!(
                "{} is damaged and cannot be renamed: {error}",
                from.display()
            ));
            return;
        }
    }
    shared.report(&format!(
        "{shelf} is damaged; it was set aside as {aside}, and the other days are not affected; to save what can be read: \
         sqlite3 {aside} .recover",
        aside = aside.display(),
    ));
}

fn free_path(folder: &Path, shelf: Shelf) -> PathBuf {
    let mut aside = folder.join(format!("{DAMAGED}{shelf}"));
    let mut nth = 1;
    while SQLITE_FILES
        .iter()
        .any(|ending| with(&aside, ending).exists())
    {
        nth += 1;
        aside = folder.join(format!("{DAMAGED}{nth}-{shelf}"));
    }
    aside
}

/// Returns whether a file of a day was set aside.
pub(crate) fn is_set_aside(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with(DAMAGED))
}

/// Returns the day of a file with this name, which can have been set aside.
pub(crate) fn day_of(name: &str) -> Option<Shelf> {
    let name = SQLITE_FILES
        .iter()
        .find_map(|ending| name.strip_suffix(ending))?;
    let Some(aside) = name.strip_prefix(DAMAGED) else {
        return name.parse().ok();
    };
    let numbered = || {
        let (nth, name) = aside.split_once('-')?;
        nth.parse::<u64>().ok()?;
        name.parse().ok()
    };
    aside.parse().ok().or_else(numbered)
}

/// A path with something added to its last part.
fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_each_file_leads_to_its_day() {
        let day = "2026-07-01.sqlite".parse().ok();
        let no_session = "2026-07-01-no-session.sqlite".parse().ok();
        for (name, expected) in [
            ("2026-07-01.sqlite", day),
            ("2026-07-01.sqlite-wal", day),
            ("damaged-2026-07-01.sqlite", day),
            ("damaged-12-2026-07-01.sqlite-shm", day),
            ("damaged-2-2026-07-01-no-session.sqlite", no_session),
            ("2-2026-07-01.sqlite", None),
            ("damaged-x-2026-07-01.sqlite", None),
            ("damaged-keys.json", None),
            ("keys.json", None),
        ] {
            assert_eq!(day_of(name), expected, "{name}");
        }
    }
}
