//! Files that are known from the checkpoint, and how they are found again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::decide::Left;
use super::{Files, Places};
use crate::ship::folders::{Folders, Lookup};
use crate::ship::identity::Identity;
use crate::ship::mode::Mode;
use crate::ship::position::{Existence, Position};
use crate::ship::system::Seen;
use crate::ship::tail::{Origin, Tail};

/// How long a missing file is remembered.
const MISSING_DAYS: u64 = 30;
/// How long a deleted file is remembered, so that its compressed copy is recognised.
const DELETED_SECONDS: u64 = 60 * 60;
/// How many missing files are remembered.
const MISSING: usize = 2_000;
/// How long in-flight records of a missing file are kept if the file's folder exists.
const KEPT_SECONDS: u64 = 24 * 60 * 60;

/// What became of a known file whose inode was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resumed {
    /// The file is followed again.
    Followed,
    /// The file has not grown.
    Unchanged,
    /// The file was renamed a moment ago; the next scan finds it.
    Moved,
    /// The file has other text, or another file has its inode. A copy may still have its text.
    Rewritten,
}

/// The positions of files that are not followed.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Ordered by the seed of the `_id`s.
    positions: BTreeMap<u64, Position>,
    seeds: HashMap<Identity, Vec<u64>>,
    /// How many positions were compared with a file.
    #[cfg(test)]
    pub(super) steps: std::cell::Cell<usize>,
}

impl Known {
    pub(super) fn new(positions: Vec<Position>) -> Self {
        let mut known = Self::default();
        for position in positions {
            known.add(position);
        }
        known
    }

    fn add(&mut self, position: Position) {
        let seeds = self.seeds.entry(position.identity).or_default();
        seeds.push(position.seed);
        self.positions.insert(position.seed, position);
    }

    pub(super) fn get(&self, seed: u64) -> Option<&Position> {
        self.positions.get(&seed)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Position> {
        self.positions.values()
    }

    fn take_all(&mut self) -> impl Iterator<Item = Position> {
        self.seeds.clear();
        std::mem::take(&mut self.positions).into_values()
    }

    /// Removes and returns the position from which a file continues. A file that has the inode of a
    /// deleted one is another file.
    fn take_continued(&mut self, tail: &Tail) -> io::Result<Option<Position>> {
        let seeds = tail.identity().and_then(|same| self.seeds.get_mut(&same));
        for (at, seed) in seeds.iter().flat_map(|seeds| seeds.iter().enumerate()) {
            #[cfg(test)]
            self.steps.set(self.steps.get() + 1);
            if let Some(known) = self.positions.get(seed)
                && !known.existence.is_deleted()
                && tail.continues(known)?
            {
                let seed = *seed;
                if let Some(seeds) = seeds {
                    seeds.swap_remove(at);
                }
                return Ok(self.positions.remove(&seed));
            }
        }
        Ok(None)
    }

    /// Removes and returns a position.
    pub(super) fn take(&mut self, seed: u64) -> Option<Position> {
        let position = self.positions.remove(&seed)?;
        if let Some(seeds) = self.seeds.get_mut(&position.identity) {
            seeds.retain(|other| *other != seed);
        }
        Some(position)
    }

    /// Forgets files that have been missing for too long. If too many are missing, forgets those
    /// that would be forgotten first.
    fn forget(&mut self, now: u64) {
        let until = |known: &Position| {
            let until = match known.existence {
                Existence::There => return None,
                Existence::Missing { since } => since.saturating_add(MISSING_DAYS * 24 * 60 * 60),
                Existence::Deleted { since } => since.saturating_add(DELETED_SECONDS),
            };
            Some((until, known.seed))
        };
        let mut missing: Vec<_> = self.iter().filter_map(until).collect();
        missing.sort_unstable_by_key(|(until, seed)| (Reverse(*until), *seed));
        let kept = missing.partition_point(|(until, _)| *until >= now);
        for (_, seed) in &missing[kept.min(MISSING)..] {
            self.take(*seed);
        }
        self.seeds.retain(|_, seeds| !seeds.is_empty());
    }
}

impl Files {
    /// Follows a file from where it is known to be delivered, and returns its index. By now the
    /// path may lead to a file that is followed already.
    pub(super) fn open(
        &mut self,
        path: &Path,
        places: &mut Places,
        folders: &mut Folders,
    ) -> io::Result<usize> {
        self.make_room(None);
        let mut tail = Tail::open(path, self.links, self.hash, self.format)?;
        if let Some(&at) = places.get(&tail.node()) {
            self.tails[at].set_name(path);
            return Ok(at);
        }
        let continued = match self.known.take_continued(&tail)? {
            Some(known) => Some(known),
            // Copies are recognised once all files are found.
            None if tail.is_compressed() => None,
            None => self.take_replaced(&tail, folders)?,
        };
        tail.release();
        if let Some(known) = continued {
            tail.resume(&known);
        }
        Ok(self.push(tail, places))
    }

    fn push(&mut self, mut tail: Tail, places: &mut Places) -> usize {
        if self.mode == Mode::Once {
            tail.end_here();
        }
        let at = self.tails.len();
        places.insert(tail.node(), at);
        self.tails.push(tail);
        self.open.push(at);
        at
    }

    /// Looks for files that were renamed within their folders while no shipper ran. Files that have
    /// not grown are not opened.
    pub(super) fn find_known(&mut self, places: &mut Places, folders: &mut Folders) {
        let is_first = self.searched.is_none();
        let known: Vec<_> = self.known.take_all().collect();
        let mut missing = Vec::new();
        for position in known {
            if position.existence.is_deleted() {
                self.remember(Some(position), Left::Deleted);
                continue;
            }
            match folders.find(&position.path, position.identity.inode()) {
                Lookup::Found(path) => self.resume_at(path, position, places, is_first),
                Lookup::Missing => {
                    if is_first && position.existence.is_there() {
                        missing.push(position.clone());
                    }
                    self.remember(Some(position), Left::Missing);
                }
                Lookup::Unknown(error) => {
                    self.is_moving |= is_first && error.kind() == io::ErrorKind::NotFound;
                    self.known.add(position);
                }
            }
        }
        if let Some(text) = missing_text(&missing) {
            self.problems.note(text);
        }
        self.known.forget(now());
    }

    /// Follows a known file again whose inode was found at this path, or keeps its position.
    fn resume_at(
        &mut self,
        path: PathBuf,
        mut position: Position,
        places: &mut Places,
        is_first: bool,
    ) {
        match self.resume(&path, &position, places, is_first) {
            Ok(Resumed::Followed) => {}
            Ok(Resumed::Unchanged) => {
                position.path = path;
                self.remember(Some(position), Left::Quiet);
            }
            Ok(Resumed::Rewritten) => self.remember(Some(position), Left::Missing),
            Ok(Resumed::Moved) => {
                self.is_moving |= is_first;
                self.known.add(position);
            }
            Err(error) => {
                self.problems.add(&path, &error);
                self.known.add(position);
            }
        }
    }

    /// Follows a known file again whose inode was found at this path, if it may have grown.
    fn resume(
        &mut self,
        path: &Path,
        position: &Position,
        places: &mut Places,
        is_first: bool,
    ) -> io::Result<Resumed> {
        let inode = position.identity.inode();
        let seen = match Seen::at(path) {
            Ok(seen) if seen.node.inode == inode => seen,
            _ => return Ok(Resumed::Moved),
        };
        if places.contains_key(&seen.node) {
            return Ok(Resumed::Rewritten);
        }
        let length = position
            .compressed_length
            .unwrap_or(position.delivered.offset);
        if !is_first && seen.length == length {
            return Ok(Resumed::Unchanged);
        }
        self.make_room(None);
        let mut tail = match Tail::open(path, self.links, self.hash, self.format) {
            Ok(tail) if tail.node() == seen.node => tail,
            Ok(_) => return Ok(Resumed::Moved),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Resumed::Moved),
            Err(error) => return Err(error),
        };
        if !tail.continues(position)? {
            return Ok(Resumed::Rewritten);
        }
        tail.resume(position);
        tail.release();
        self.push(tail, places);
        Ok(Resumed::Followed)
    }

    /// Remembers how far a file is delivered that is no longer followed.
    pub(super) fn remember(&mut self, position: Option<Position>, left: Left) {
        let Some(position) = position else { return };
        let since = position.existence.missing_since().unwrap_or_else(now);
        let existence = match left {
            Left::Quiet => Existence::There,
            Left::Missing if !position.existence.is_deleted() => Existence::Missing { since },
            Left::Missing | Left::Deleted => Existence::Deleted { since },
        };
        self.known.add(Position {
            existence,
            ..position
        });
    }

    /// Returns whether a file seems to be deleted: its folder exists, and it has been missing for
    /// long.
    pub(super) fn is_deleted(known: &Position) -> bool {
        let is_long = |since| now().saturating_sub(since) > KEPT_SECONDS;
        known.existence.missing_since().is_some_and(is_long)
            && known.path.parent().is_some_and(Path::is_dir)
    }

    /// Returns whether the text of a known file was overwritten: a followed file has its inode, and
    /// no compressed file that waits can be its copy.
    pub(super) fn is_overwritten(&self, known: &Position) -> bool {
        let inode = known.identity.inode();
        let mut tails = self.tails.iter();
        let has_inode = |tail: &Tail| tail.node().inode == inode && !tail.is_compressed();
        let may_be_copied = |tail: &Tail| tail.origin() == Origin::Unsettled;
        tails.clone().any(has_inode) && !tails.any(may_be_copied)
    }
}

/// Reports files that were moved or deleted while no shipper ran. What was written to them after
/// the last run is not delivered.
fn missing_text(missing: &[Position]) -> Option<String> {
    let first = missing.first()?;
    let others = match missing.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    Some(format!(
        "{}{others}: no longer in the folder, delivered up to byte {}; if the file was moved, pass its new path to deliver the \
         rest",
        first.path.display(),
        first.delivered.offset
    ))
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
