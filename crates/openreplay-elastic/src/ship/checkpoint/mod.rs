use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::position::{InFlight, Position};
use super::private;
use super::system::sync_folder;
use crate::transport::error::Error;
use crate::transport::kind::{ErrorKind, Precondition};

#[cfg(test)]
mod tests;

/// The version that is written. Version 1 can be read, too.
const VERSION: u32 = 2;

/// Stores how far each file is delivered and which records are in flight. It is written to disk
/// before records are sent.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: PathBuf,
    state: State,
    /// Locked for the lifetime of this shipper.
    _lock: File,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct State {
    version: u32,
    /// Missing in version 1.
    #[serde(default = "Hash::fnv1a")]
    hash: Hash,
    files: Vec<Position>,
    in_flight: Option<InFlight>,
    /// The requests that were in flight when an earlier run ended, from files that cannot be read
    /// for now.
    waiting: Vec<InFlight>,
}

impl Checkpoint {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| unwritable(path, error))?;
        if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
            // A rename would replace whatever is there.
            return Err(Error::config(format!(
                "{} is not a regular file; choose a different path for the checkpoint",
                path.display()
            )));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        private::create_folder(folder).map_err(|error| unwritable(&path, error))?;
        let lock = with_suffix(&path, ".lock");
        let lock = private::open_lock(&lock).map_err(|error| unusable(&lock, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::unmet(
                    Precondition::CheckpointInUse,
                    format!(
                        "another shipper uses the checkpoint {}; choose a different checkpoint for this one",
                        path.display()
                    ),
                ));
            }
            Err(fs::TryLockError::Error(error)) => return Err(unwritable(&path, error)),
        }
        let state = match private::read(&path) {
            Ok(bytes) => State::read(&bytes, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::new(),
            Err(error) => return Err(unusable(&path, error)),
        };
        Ok(Self {
            path,
            state,
            _lock: lock,
        })
    }

    /// Returns the paths that are never followed, whatever the patterns match.
    pub(super) fn own_files(&self) -> [PathBuf; 3] {
        let with_suffix = |suffix| with_suffix(&self.path, suffix);
        [self.path.clone(), with_suffix(".lock"), with_suffix(".new")]
    }

    /// Returns the hash function that identifies files.
    pub(super) fn hash(&self) -> Hash {
        self.state.hash
    }

    pub(super) fn files(&self) -> Vec<Position> {
        self.state.files.clone()
    }

    /// Returns everything that was in flight when the last run ended.
    pub(super) fn in_flight(&self) -> Vec<InFlight> {
        let in_flight = self.state.in_flight.iter().chain(&self.state.waiting);
        in_flight.cloned().collect()
    }

    /// Writes the state to disk atomically, unless it is unchanged.
    pub(super) fn save(
        &mut self,
        files: Vec<Position>,
        in_flight: Option<&InFlight>,
        waiting: &[InFlight],
    ) -> Result<(), Error> {
        let state = State {
            version: VERSION,
            hash: self.state.hash,
            files,
            in_flight: in_flight.cloned(),
            waiting: waiting.to_vec(),
        };
        if state == self.state {
            return Ok(());
        }
        self.replace(&state)
            .map_err(|error| unwritable(&self.path, error))?;
        self.state = state;
        Ok(())
    }

    fn replace(&self, state: &State) -> io::Result<()> {
        let new = with_suffix(&self.path, ".new");
        let mut file = private::create_next(&new, &self.path)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.sync_data()?;
        drop(file);
        fs::rename(&new, &self.path)?;
        sync_folder(self.path.parent().unwrap_or(Path::new("/")))
    }
}

impl State {
    fn new() -> Self {
        Self {
            version: VERSION,
            hash: Hash::random(),
            files: Vec::new(),
            in_flight: None,
            waiting: Vec::new(),
        }
    }

    fn read(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let wrong = |why: &str| {
            Error::unmet(
                Precondition::CheckpointUnreadable,
                format!(
                    "{} {why}; choose a different checkpoint, or move this one away: every file is then sent from its start, and \
                     records that are already stored are stored twice",
                    path.display()
                ),
            )
        };
        let unreadable =
            |error: serde_json::Error| wrong("cannot be read as a checkpoint").with_source(error);
        let Version { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
        match version {
            // The fields that version 2 added have defaults.
            1 | VERSION => {
                let state: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
                let mut seeds = HashSet::new();
                if state.files.iter().all(|file| seeds.insert(file.seed)) {
                    Ok(state)
                } else {
                    Err(wrong("has two files with the same seed"))
                }
            }
            _ => Err(wrong("has an unsupported version")),
        }
    }
}

/// Read first, because the rest may look different in a later version.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The remedy is no other checkpoint, with which every file would be sent again from its start.
fn unusable(path: &Path, error: io::Error) -> Error {
    if fs::symlink_metadata(path).is_err() {
        return unwritable(path, error);
    }
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; run `ship` as the user who owns it, or `chown` it to the user of `ship`"
        }
        _ => "",
    };
    let text = format!("{} cannot be opened{remedy}", path.display());
    Error::new(ErrorKind::Io, text).with_source(error)
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    let text = format!(
        "the checkpoint {} cannot be written; its folder must be writable, with space left",
        path.display()
    );
    Error::new(ErrorKind::Io, text).with_source(error)
}
