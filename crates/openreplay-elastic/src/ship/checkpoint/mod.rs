use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::identity::{Identity, Place};
use super::system::sync_folder;
use crate::error::{Error, Kind};

const VERSION: u32 = 1;

/// How far each file is delivered, and what is on its way: on disk before it is sent.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: PathBuf,
    state: State,
    /// Held as long as this shipper lives.
    _lock: File,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct State {
    version: u32,
    files: Vec<Position>,
    in_flight: Option<InFlight>,
    /// What was on its way when an earlier run ended, of files that cannot be read for now.
    waiting: Vec<InFlight>,
}

/// How far a file is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Position {
    /// What the `_id`s of its lines start with: random, and another one whenever the file is written anew.
    pub(super) seed: u64,
    pub(super) identity: Identity,
    /// Where it was seen last.
    pub(super) path: PathBuf,
    pub(super) delivered: Place,
    /// Since when it is nowhere, in seconds of the epoch: a folder may be mounted later, or the file moved back.
    pub(super) missing_since: Option<u64>,
}

/// What one request holds, and the index that it was first sent to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct InFlight {
    pub(super) index: String,
    pub(super) parts: Vec<Part>,
    /// The index of each record that went to another one since, by `_id`.
    pub(super) moved: BTreeMap<String, String>,
}

/// A stretch of whole lines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Part {
    pub(super) seed: u64,
    pub(super) path: PathBuf,
    pub(super) from: u64,
    pub(super) to: Place,
}

impl Checkpoint {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| failed(path, error))?;
        if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            // it is replaced by a rename, whatever it is
            return Err(Error::config(format!(
                "{} is no file: give the checkpoint a place of its own",
                path.display()
            )));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let lock = beside(&path, ".lock");
        let lock = File::create(&lock).map_err(|error| failed(&lock, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Kind::State,
                    format!(
                        "another shipper has the checkpoint {}: give this one another",
                        path.display()
                    ),
                )
                .with_reason("checkpoint-in-use"));
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed(&path, error)),
        }
        let state = match fs::read(&path) {
            Ok(bytes) => State::read(&bytes, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
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
        files: &Files,
        in_flight: Option<&InFlight>,
        waiting: &[InFlight],
    ) -> Result<(), Error> {
        let state = State {
            version: VERSION,
            files: files.positions(),
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
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.sync_data()?;
        drop(file);
        fs::rename(&new, &self.path)?;
        sync_folder(self.path.parent().unwrap_or(Path::new("/")))
    }
}

impl State {
    fn read(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let wrong = |why: &str| {
            Error::new(
                Kind::State,
                format!(
                    "{} {why}: give another place; or move it away, and every file is sent from its start, so that what is stored \
                     already is there twice",
                    path.display()
                ),
            )
            .with_reason("checkpoint-unreadable")
        };
        let state: Self = serde_json::from_slice(bytes)
            .map_err(|error| wrong("cannot be read as a checkpoint").with_source(error))?;
        if state.version != VERSION {
            return Err(wrong("is a checkpoint of another version"));
        }
        Ok(state)
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::new(
        Kind::Io,
        format!(
            "the checkpoint cannot be kept at {}: give it a folder that can be written to",
            path.display()
        ),
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_checkpoint_or_an_error_that_says_what_to_do(bytes: Vec<u8>) {
            if let Err(error) = State::read(&bytes, Path::new("x.json")) {
                prop_assert!(error.is_state());
                prop_assert!(error.to_string().contains("move it away"));
            }
        }

        #[test]
        fn what_was_written_is_read_back(seed: u64, from: u64, path in "[^\0]{1,40}", index in ".{1,20}") {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), "line\n").unwrap();
            let identity = Identity::of(file.as_file()).unwrap().unwrap();
            let to = Place::at(file.as_file(), 5).unwrap();
            let path = PathBuf::from(path);
            let moved = BTreeMap::from([("id".to_owned(), index.clone())]);
            let in_flight = InFlight { index, parts: vec![Part { seed, path: path.clone(), from, to }], moved };
            let state = State {
                version: VERSION,
                files: vec![Position { seed, identity, path, delivered: to, missing_since: Some(from) }],
                in_flight: Some(in_flight.clone()),
                waiting: vec![in_flight],
            };
            let bytes = serde_json::to_vec(&state).unwrap();
            prop_assert_eq!(State::read(&bytes, Path::new("x.json")).unwrap(), state);
        }
    }

    #[test]
    fn keeps_a_second_shipper_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/ship.json");
        let first = Checkpoint::open(&path).unwrap();
        let error = Checkpoint::open(&path).unwrap_err();
        assert!(
            error.is_state()
                && error
                    .to_string()
                    .starts_with("another shipper has the checkpoint")
        );
        drop(first);
        Checkpoint::open(&path).unwrap();
    }
}
