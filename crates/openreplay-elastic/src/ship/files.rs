use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checkpoint::{Part, Position};
use super::lines::Framed;
use super::tail::Tail;
use crate::error::{Error, Kind};

/// A file that matches no pattern any more is followed until it has been quiet for so long: its writer may take a while
/// to turn to the new one.
const QUIET: Duration = Duration::from_secs(60);
/// Compressed by a rotation: what is in them was delivered before.
const COMPRESSED: [&str; 5] = ["gz", "zst", "bz2", "xz", "lz4"];

/// The files that are followed, and those that are known from the checkpoint.
#[derive(Debug)]
pub(super) struct Files {
    patterns: Vec<Pattern>,
    tails: Vec<Tail>,
    /// Known positions of files that are not open.
    known: Vec<Position>,
    first_look: bool,
    /// Where the next batch starts, so that one busy file does not keep the others waiting.
    next: usize,
    buffer: Vec<u8>,
    once: bool,
}

#[derive(Debug)]
enum Pattern {
    Path(PathBuf),
    Glob(String),
}

impl Files {
    pub(super) fn new(patterns: &[String], known: Vec<Position>) -> Result<Self, Error> {
        let patterns = patterns.iter().map(|pattern| Pattern::parse(pattern));
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
            tails: Vec::new(),
            known,
            first_look: true,
            next: 0,
            buffer: Vec::new(),
            once: false,
        })
    }

    /// Opens what is new, and lets go of what is over.
    pub(super) fn look(&mut self, once: bool) -> Result<(), Error> {
        self.once = once;
        for tail in &mut self.tails {
            let path = tail.path.clone();
            tail.look().map_err(|error| failed(&path, error))?;
        }
        let mut matching = Vec::new();
        for path in self.paths()? {
            if let Some(at) = self.open(&path)? {
                matching.push(at);
            }
        }
        if std::mem::take(&mut self.first_look) {
            self.open_renamed()?;
        }
        for index in (0..self.tails.len()).rev() {
            let tail = &self.tails[index];
            let is_over =
                tail.deleted || (!matching.contains(&index) && tail.last_growth.elapsed() > QUIET);
            if is_over && !tail.has_more() {
                let tail = self.tails.remove(index);
                matching
                    .iter_mut()
                    .for_each(|at| *at -= usize::from(*at > index));
                self.known.extend(tail.position().filter(|_| !tail.deleted));
            }
        }
        Ok(())
    }

    /// Whole lines of one file after the other, until there is enough.
    pub(super) fn fill(&mut self, enough: usize) -> Result<Option<Framed>, Error> {
        let mut framed = Framed::default();
        for turn in 0..self.tails.len() {
            let at = (self.next + turn) % self.tails.len();
            let tail = &mut self.tails[at];
            if !tail.has_more() {
                continue;
            }
            if framed.body.capacity() == 0 {
                framed.body.reserve(enough + enough / 4);
            }
            tail.fill(&mut framed, &mut self.buffer, enough, self.once)
                .map_err(|error| failed(&tail.path, error))?;
            if framed.body.len() >= enough {
                self.next = at + 1;
                break;
            }
        }
        Ok((!framed.parts.is_empty()).then_some(framed))
    }

    /// What was on its way before, and the parts of it that are nowhere any more.
    pub(super) fn again(&mut self, parts: &[Part]) -> Result<(Framed, Vec<Part>), Error> {
        let mut framed = Framed::default();
        let mut gone = Vec::new();
        for part in parts {
            let mut tails = self.tails.iter_mut();
            let found = match tails.find(|tail| tail.seed() == part.seed) {
                Some(tail) => tail
                    .again(part, &mut framed)
                    .map_err(|error| failed(&tail.path, error))?,
                None => false,
            };
            if !found {
                gone.push(part.clone());
            }
        }
        Ok((framed, gone))
    }

    pub(super) fn done(&mut self, parts: &[Part]) {
        for part in parts {
            let tail = self.tails.iter_mut().find(|tail| tail.seed() == part.seed);
            if let Some(tail) = tail {
                tail.done(part);
            }
        }
    }

    pub(super) fn positions(&self) -> Vec<Position> {
        let open = self.tails.iter().filter_map(Tail::position);
        open.chain(self.known.iter().cloned()).collect()
    }

    /// Bytes that are there, bytes that are delivered, and how many files end within a line.
    pub(super) fn sums(&self) -> (u64, u64, u64) {
        let bytes = self.tails.iter().map(|tail| tail.length).sum();
        let done = self
            .tails
            .iter()
            .map(|tail| tail.offset().min(tail.length))
            .sum();
        let unfinished = self
            .tails
            .iter()
            .filter(|tail| tail.offset() < tail.length)
            .count();
        (bytes, done, unfinished as u64)
    }

    fn paths(&self) -> Result<Vec<PathBuf>, Error> {
        let mut paths = Vec::new();
        for pattern in &self.patterns {
            pattern.paths(&mut paths)?;
        }
        paths.retain(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            !extension.is_some_and(|extension| COMPRESSED.contains(&extension))
        });
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    /// Gives the file's place among those that are followed; `None` where there is none.
    fn open(&mut self, path: &Path) -> Result<Option<usize>, Error> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, error)),
        };
        let followed = self
            .tails
            .iter()
            .position(|tail| tail.is(metadata.dev(), metadata.ino()));
        if let Some(at) = followed {
            path.clone_into(&mut self.tails[at].path);
            return Ok(Some(at));
        }
        let mut tail = match Tail::open(path) {
            Ok(tail) => tail,
            // it was moved just now
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, error)),
        };
        if let Some(at) = self.known_as(&tail).map_err(|error| failed(path, error))? {
            tail.resume(&self.known.swap_remove(at));
        }
        self.tails.push(tail);
        Ok(Some(self.tails.len() - 1))
    }

    fn known_as(&self, tail: &Tail) -> io::Result<Option<usize>> {
        for (at, known) in self.known.iter().enumerate() {
            if tail.continues(known)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Files that were renamed while no one was looking lie beside where they were; what is nowhere is forgotten.
    fn open_renamed(&mut self) -> Result<(), Error> {
        for position in std::mem::take(&mut self.known) {
            let folder = position.path.parent().unwrap_or(Path::new("/"));
            if let Some(path) = find(folder, &position) {
                self.known.push(position);
                self.open(&path)?;
            }
        }
        Ok(())
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Result<Self, Error> {
        if Path::new(pattern).exists() || !pattern.contains(['*', '?', '[']) {
            return Ok(Self::Path(PathBuf::from(pattern)));
        }
        match glob::glob(pattern) {
            Ok(_) => Ok(Self::Glob(pattern.to_owned())),
            Err(error) => Err(
                Error::config(format!("{pattern:?} is no pattern of file names"))
                    .with_source(error),
            ),
        }
    }

    fn paths(&self, paths: &mut Vec<PathBuf>) -> Result<(), Error> {
        match self {
            Self::Path(path) => paths.push(absolute(path)),
            Self::Glob(pattern) => {
                let found = glob::glob(pattern).map_err(|error| {
                    Error::config(format!("{pattern:?} is no pattern of file names"))
                        .with_source(error)
                })?;
                // a folder that cannot be read, or is gone again, holds nothing up
                paths.extend(found.flatten().map(|path| absolute(&path)));
            }
        }
        Ok(())
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn find(folder: &Path, known: &Position) -> Option<PathBuf> {
    let mut entries = fs::read_dir(folder).ok()?.flatten();
    entries.find_map(|entry| {
        let path = entry.path();
        let may_be = known.identity.may_be(&entry.metadata().ok()?);
        (may_be && Tail::open(&path).ok()?.continues(known).ok()?).then_some(path)
    })
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::new(Kind::Io, format!("{} cannot be read", path.display())).with_source(error)
}
