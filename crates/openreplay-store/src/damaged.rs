//! A file that SQLite cannot read is kept for people to look at; the other days keep working.

use std::fs;
use std::path::{Path, PathBuf};

use crate::key::Shelf;
use crate::shared::Shared;

/// What SQLite writes next to a database.
const ASIDES: [&str; 3] = ["", "-wal", "-shm"];

/// Renames the files of a day, so that a new file can take their place.
pub(crate) fn set_aside(shared: &Shared, shelf: Shelf) {
    let free = |path: &PathBuf| !path.exists();
    let names = (1..).map(|nth| match nth {
        1 => shared.folder.join(format!("damaged-{shelf}")),
        nth => shared.folder.join(format!("damaged-{nth}-{shelf}")),
    });
    let Some(aside) = names.take(1_000).find(free) else {
        return;
    };
    for ending in ASIDES {
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

/// A path with something added to its last part.
pub(crate) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
