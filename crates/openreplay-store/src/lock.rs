//! One process at a time writes to a store.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::error::{Error, Kind};
use crate::folder;

const NAME: &str = "lock";

/// The lock on a folder. The system releases it when the process ends, however that happens.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the folder, and leaves a note of who did.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        let mut file = folder::open(&path).map_err(|error| Error::io(&path, "opened", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(folder, &mut file)),
            Err(TryLockError::Error(error)) => return Err(Error::io(&path, "locked", error)),
        }
        // The note only helps people: without it, the lock still holds.
        let program = std::env::current_exe().unwrap_or_default();
        let program = program.file_name().unwrap_or_default().to_string_lossy();
        let note = format!("process {} ({program})", std::process::id());
        let _ = file
            .set_len(0)
            .and_then(|()| file.write_all(note.as_bytes()));
        Ok(Self { _file: file })
    }
}

fn held(folder: &Path, file: &mut File) -> Error {
    let mut note = String::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_string(&mut note));
    let holder = match (read, note.trim()) {
        (Ok(_), note) if !note.is_empty() => note,
        // Windows keeps others from reading a locked file.
        _ => "another process",
    };
    let folder = folder.display();
    Error::new(
        Kind::Locked,
        format!("{folder} is in use by {holder}; stop that process, or choose another folder"),
    )
}
