use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::files::Mode;
use super::unreadable::Troubles;
use crate::transport::error::Error;

/// Compressed by a rotation: what is in them was delivered before.
const COMPRESSED: [&str; 5] = ["gz", "zst", "bz2", "xz", "lz4"];

/// What was asked for.
#[derive(Debug)]
pub(super) enum Pattern {
    Path {
        path: PathBuf,
        /// It has been there once.
        was_there: bool,
    },
    Glob(String),
}

/// In which look, since files that are not there yet may come later.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) mode: Mode,
    pub(super) first: bool,
}

/// A path that was asked for.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) path: PathBuf,
    /// By its own name: whatever is no file there is a mistake.
    pub(super) is_wanted: bool,
}

impl Pattern {
    pub(super) fn parse(pattern: &str) -> Result<Self, Error> {
        if pattern.is_empty() {
            return Err(Error::config(
                "a file without a name: expected one, or a pattern such as app.log*",
            ));
        }
        if Path::new(pattern).exists() || !pattern.contains(['*', '?', '[']) {
            return Ok(Self::Path {
                path: absolute(Path::new(pattern)),
                was_there: false,
            });
        }
        match glob::glob(pattern) {
            Ok(_) => Ok(Self::Glob(pattern.to_owned())),
            Err(error) => Err(
                Error::config(format!("{pattern:?} is no pattern of file names: expected one such as app.log* or app-[0-9].log"))
                    .with_source(error),
            ),
        }
    }

    fn paths(&mut self, when: When, paths: &mut BTreeMap<PathBuf, bool>, troubles: &mut Troubles) {
        match self {
            Self::Path { path, was_there } => {
                if is_compressed(path) {
                    troubles.add(path, &"it is compressed: give it uncompressed");
                    return;
                }
                // once it was there, it may be missing for as long as a rotation takes
                *was_there |= !matches!(path.try_exists(), Ok(false));
                if !*was_there && when.mode == Mode::Once {
                    troubles.add(path, &"there is no such file");
                } else if !*was_there && when.first {
                    let path = path.display();
                    troubles.note(format!("there is no {path} yet; waiting for it"));
                }
                paths.insert(path.clone(), true);
            }
            Self::Glob(pattern) => {
                let before = paths.len();
                for found in glob::glob(pattern).into_iter().flatten() {
                    match found {
                        Ok(path) if is_compressed(&path) => {}
                        Ok(path) => {
                            paths.entry(absolute(&path)).or_insert(false);
                        }
                        // a folder that is gone again holds nothing
                        Err(error) if error.error().kind() == io::ErrorKind::NotFound => {}
                        Err(error) => troubles.add(error.path(), error.error()),
                    }
                }
                if paths.len() == before && when.first {
                    troubles.note(format!("no file matches {pattern} yet"));
                }
            }
        }
    }
}

impl Match {
    /// Each path once, in the order of their names.
    pub(super) fn all(patterns: &mut [Pattern], when: When, troubles: &mut Troubles) -> Vec<Self> {
        let mut paths = BTreeMap::new();
        for pattern in patterns {
            pattern.paths(when, &mut paths, troubles);
        }
        let paths = paths.into_iter();
        paths
            .map(|(path, is_wanted)| Self { path, is_wanted })
            .collect()
    }
}

fn is_compressed(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| COMPRESSED.contains(&extension))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
