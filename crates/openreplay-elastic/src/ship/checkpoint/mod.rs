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

/// The version that is written; version 1 is read as well.
const VERSION: u32 = 2;

/// How far each file is delivered, and what is on its way: on disk before it is sent.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: PathBuf,
    state: State,
    /// Held as long as this shipper lives.
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
    /// What was on its way when an earlier run ended, of files that cannot be read for now.
    waiting: Vec<InFlight>,
}

impl Checkpoint {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| failed(path, error))?;
        if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
            // A rename would replace it, whatever it is.
            return Err(Error::config(format!(
                "{} is not a regular file: give the checkpoint a place of its own",
                path.display()
            )));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        private::create_folder(folder).map_err(|error| failed(folder, error))?;
        let lock = beside(&path, ".lock");
        let lock = private::open_lock(&lock).map_err(|error| failed(&lock, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::unmet(
                    Precondition::CheckpointInUse,
                    format!(
                        "another shipper has the checkpoint {}: give this one another",
                        path.display()
                    ),
                ));
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed(&path, error)),
        }
        let state = match private::read(&path) {
            Ok(bytes) => State::read(&bytes, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::new(),
            Err(error) => return Err(failed(&path, error)),
        };
        Ok(Self {
            path,
            state,
            _lock: lock,
        })
    }

    /// What is not to be taken for a file of records, whatever the patterns are.
    pub(super) fn own_files(&self) -> [PathBuf; 3] {
        let beside = |suffix| beside(&self.path, suffix);
        [self.path.clone(), beside(".lock"), beside(".new")]
    }

    /// How it hashes what it knows files by.
    pub(super) fn hash(&self) -> Hash {
        self.state.hash
    }

    pub(super) fn files(&self) -> Vec<Position> {
        self.state.files.clone()
    }

    /// All that was on its way when the last run ended.
    pub(super) fn in_flight(&self) -> Vec<InFlight> {
        let in_flight = self.state.in_flight.iter().chain(&self.state.waiting);
        in_flight.cloned().collect()
    }

    /// Puts it on disk, all or nothing, unless it is there already.
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
            .map_err(|error| failed(&self.path, error))?;
        self.state = state;
        Ok(())
    }

    fn replace(&self, state: &State) -> io::Result<()> {
        let new = beside(&self.path, ".new");
        let mut file = private::create_new(&new)?;
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
                    "{} {why}: give another place; or move it away, and every file is sent from its start, so that what is stored \
                     already is there twice",
                    path.display()
                ),
            )
        };
        let unreadable =
            |error: serde_json::Error| wrong("cannot be read as a checkpoint").with_source(error);
        let Version { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
        match version {
            // What version 2 adds has a default.
            1 | VERSION => {
                let state: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
                let mut seeds = HashSet::new();
                if state.files.iter().all(|file| seeds.insert(file.seed)) {
                    Ok(state)
                } else {
                    Err(wrong("holds two files of the same seed"))
                }
            }
            _ => Err(wrong("is a checkpoint of another version")),
        }
    }
}

/// Read first: the rest may look different in a version to come.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!(
            "the checkpoint cannot be kept at {}: give it a folder that can be written to",
            path.display()
        ),
    )
    .with_source(error)
}
