//! What is known from the checkpoint, and found again.

use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Files, Places};
use crate::ship::folders::{Folders, Lookup};
use crate::ship::position::Position;
use crate::ship::system::Seen;
use crate::ship::tail::Tail;

/// How long a file that is nowhere is known.
const MISSING_DAYS: u64 = 30;
/// How many of those are known.
const MISSING: usize = 2_000;
/// How long what was on its way from a file waits that is nowhere though its folder is there.
const WAITS: u64 = 24 * 60 * 60;

impl Files {
    /// Opens a file, from where it is known to be delivered, and gives its place. What has this name by now may be
    /// followed already.
    pub(super) fn open(&mut self, path: &Path, places: &mut Places) -> io::Result<usize> {
        self.make_room(None);
        let mut tail = Tail::open(path, self.hash)?;
        if let Some(&at) = places.get(&tail.node()) {
            self.tails[at].is_called(path);
            return Ok(at);
        }
        for (at, known) in self.known.iter().enumerate() {
            if tail.continues(known)? {
                tail.resume(&self.known.swap_remove(at));
                break;
            }
        }
        Ok(self.push(tail, places))
    }

    fn push(&mut self, mut tail: Tail, places: &mut Places) -> usize {
        if self.once {
            tail.end_here();
        }
        let at = self.tails.len();
        places.insert(tail.node(), at);
        self.tails.push(tail);
        at
    }

    /// Files that were renamed while no one was looking lie beside where they were; those that lie still are opened again
    /// when they grow.
    pub(super) fn look_for_known(&mut self, places: &mut Places, folders: &mut Folders) {
        let is_first = self.searched.is_none();
        for mut position in std::mem::take(&mut self.known) {
            let path = match folders.find(&position.path, position.identity.inode()) {
                Lookup::Found(path) => path,
                Lookup::Nowhere => {
                    self.know(Some(position), true);
                    continue;
                }
                Lookup::Unknown(error) => {
                    self.is_moving |= is_first && error.kind() == io::ErrorKind::NotFound;
                    self.known.push(position);
                    continue;
                }
            };
            let Ok(seen) = Seen::at(&path) else {
                self.is_moving |= is_first;
                self.known.push(position);
                continue;
            };
            if !is_first && seen.length == position.delivered.offset {
                position.path = path;
                self.know(Some(position), false);
                continue;
            }
            if let Err(error) = self.resume(&path, &seen, &position, places) {
                self.troubles.add(&path, &error);
                self.known.push(position);
            }
        }
        self.forget();
    }

    /// Follows a known file again, unless it was written anew or another one has its inode now.
    fn resume(
        &mut self,
        path: &Path,
        seen: &Seen,
        position: &Position,
        places: &mut Places,
    ) -> io::Result<()> {
        if places.contains_key(&seen.node) {
            return Ok(());
        }
        self.make_room(None);
        let mut tail = Tail::open(path, self.hash)?;
        if !places.contains_key(&tail.node()) && tail.continues(position)? {
            tail.resume(position);
            self.push(tail, places);
        }
        Ok(())
    }

    /// Keeps in mind how far a file is delivered that is not followed.
    pub(super) fn know(&mut self, position: Option<Position>, is_missing: bool) {
        self.known.extend(position.map(|position| Position {
            missing_since: is_missing.then(|| position.missing_since.unwrap_or_else(now)),
            ..position
        }));
    }

    /// Whether a file is deleted, as it seems: its folder is there, and it has been nowhere for long.
    pub(super) fn is_deleted(known: &Position) -> bool {
        let is_long = |since| now().saturating_sub(since) > WAITS;
        known.missing_since.is_some_and(is_long) && known.path.parent().is_some_and(Path::is_dir)
    }

    /// Forgets what is nowhere for long, or too much to remember.
    fn forget(&mut self) {
        let start = now().saturating_sub(MISSING_DAYS * 24 * 60 * 60);
        self.known
            .retain(|known| known.missing_since.is_none_or(|since| since >= start));
        // the latest ones are first, those that are there before them
        self.known
            .sort_by_key(|known| std::cmp::Reverse(known.missing_since.unwrap_or(u64::MAX)));
        let there = self
            .known
            .partition_point(|known| known.missing_since.is_none());
        self.known.truncate(there + MISSING);
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
