//! The file of the keys.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Rights;
use crate::error::{Error, Kind};
use crate::folder;

pub(super) const FILE: &str = "keys.json";

#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) keys: Vec<Entry>,
    pub(super) version: Option<Version>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) rights: Flags,
    #[serde(flatten)]
    pub(super) secret: Secret,
}

/// The rights of a key in the file.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(super) struct Flags {
    read: bool,
    write: bool,
}

impl Flags {
    /// Returns the rights, or `None` for a key that permits nothing.
    pub(super) fn get(self) -> Option<Rights> {
        match (self.read, self.write) {
            (true, true) => Some(Rights::ReadWrite),
            (true, false) => Some(Rights::Read),
            (false, true) => Some(Rights::Write),
            (false, false) => None,
        }
    }
}

impl From<Rights> for Flags {
    fn from(rights: Rights) -> Self {
        Self {
            read: rights.include(Rights::Read),
            write: rights.include(Rights::Write),
        }
    }
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Secret {
    ApiKey(String),
    /// The SHA-256 hash in hexadecimal. Since a secret has 128 random bits, it needs no slow
    /// password hash.
    Sha256(String),
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What tells one version of the file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    modified: Option<SystemTime>,
    length: u64,
    /// Each version is a file of its own.
    #[cfg(unix)]
    inode: u64,
}

/// Returns the current version, or `None` if there is no file.
pub(super) fn version(path: &Path) -> Option<Version> {
    let file = fs::metadata(path).ok()?;
    Some(Version {
        modified: file.modified().ok(),
        length: file.len(),
        #[cfg(unix)]
        inode: std::os::unix::fs::MetadataExt::ino(&file),
    })
}

pub(super) fn load(path: &Path) -> Result<Loaded, Error> {
    let version = version(path);
    let text = match folder::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::default()),
        Err(error) => return Err(Error::io(path, "read", error)),
    };
    let keys = serde_json::from_slice(&text).map_err(|error| {
        // the cause could quote a secret
        let text = format!(
            "{} is not a file of keys (line {}); restore it, or delete it to create new keys",
            path.display(),
            error.line()
        );
        Error::new(Kind::Damaged, text)
    })?;
    Ok(Loaded { keys, version })
}

/// Changes the keys in the file, one process at a time.
pub(super) fn update(
    path: &Path,
    change: impl FnOnce(&mut Vec<Entry>) -> Result<(), Error>,
) -> Result<Loaded, Error> {
    // the file of the keys is replaced, so a lock on it would end with the first change
    let lock = path.with_extension("json.lock");
    let locked = folder::open(&lock).and_then(|file| file.lock().map(|()| file));
    let _lock = locked.map_err(|error| Error::io(&lock, "locked", error))?;
    let mut loaded = load(path)?;
    change(&mut loaded.keys)?;
    save(path, &loaded.keys)?;
    loaded.version = version(path);
    Ok(loaded)
}

/// Replaces the whole file, which only its owner can read at any moment.
fn save(path: &Path, keys: &[Entry]) -> Result<(), Error> {
    let new = path.with_extension("json.new");
    let write = || {
        // a server of another user must still be able to read it
        let mut file = folder::create_next(&new, path)?;
        file.write_all(&serde_json::to_vec_pretty(keys)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        folder::sync(folder::parent(path))
    };
    write().map_err(|error| Error::io(path, "written", error))
}
