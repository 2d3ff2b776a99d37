use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::glob::{Glob, Visitor, has_wildcard};
use super::mode::Mode;
use super::trusted::Links;
use super::unreadable::Problems;
use crate::transport::error::Error;

/// A file or a pattern to follow.
#[derive(Debug)]
pub(super) enum Pattern {
    Path {
        path: PathBuf,
        /// Whether the file has existed before.
        was_there: bool,
    },
    Glob {
        /// The pattern as it was passed.
        text: PathBuf,
        glob: Glob,
    },
}

/// Which scan this is: files that do not exist yet may be created later.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) mode: Mode,
    pub(super) first: bool,
}

/// A path that a pattern matches.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) path: PathBuf,
    /// The path was named without wildcards, so it should be a file.
    pub(super) is_wanted: bool,
}

impl Pattern {
    pub(super) fn parse(pattern: &OsStr) -> Result<Self, Error> {
        if pattern.is_empty() {
            return Err(Error::config(
                "a file without a name: expected a path or a pattern such as app.log*",
            ));
        }
        let text = Path::new(pattern);
        if text.exists() || !has_wildcard(pattern) {
            return Ok(Self::Path {
                path: absolute(text),
                was_there: false,
            });
        }
        match Glob::parse(&absolute(text)) {
            Some(glob) => Ok(Self::Glob {
                text: text.to_owned(),
                glob,
            }),
            None => Err(Error::config(format!(
                "{pattern:?} is not a valid file pattern: expected one such as app.log* or app-[0-9].log"
            ))),
        }
    }

    fn find(&mut self, when: When, links: Links, paths: &mut Paths<'_>) {
        match self {
            Self::Path { path, was_there } => {
                // A file that has existed may be missing during a rotation.
                *was_there |= !matches!(path.try_exists(), Ok(false));
                if !*was_there && when.mode == Mode::Once {
                    paths.problems.add(path, &"there is no such file");
                } else if !*was_there && when.first {
                    let path = path.display();
                    paths
                        .problems
                        .note(format!("{path} does not exist yet; waiting for it"));
                }
                paths.wanted.insert(path.clone(), true);
            }
            Self::Glob { text, glob } => {
                let before = paths.wanted.len();
                glob.find(links, paths);
                if paths.wanted.len() == before && when.first {
                    let text = text.display();
                    paths.problems.note(format!("no file matches {text} yet"));
                }
            }
        }
    }
}

/// The paths that were found, and whether each was named without wildcards.
struct Paths<'a> {
    wanted: BTreeMap<PathBuf, bool>,
    problems: &'a mut Problems,
}

impl Visitor for Paths<'_> {
    fn file(&mut self, path: PathBuf) {
        self.wanted.entry(path).or_insert(false);
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.problems.add(path, error);
    }

    fn linked_folder(&mut self, path: &Path) {
        let reason = "it is a link to a folder; --follow-links enters it";
        self.problems.leave_out(path, reason);
    }
}

impl Match {
    /// Returns each path once, ordered by name.
    pub(super) fn all(
        patterns: &mut [Pattern],
        when: When,
        links: Links,
        problems: &mut Problems,
    ) -> Vec<Self> {
        let mut paths = Paths {
            wanted: BTreeMap::new(),
            problems,
        };
        for pattern in patterns {
            pattern.find(when, links, &mut paths);
        }
        let paths = paths.wanted.into_iter();
        paths
            .map(|(path, is_wanted)| Self { path, is_wanted })
            .collect()
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
