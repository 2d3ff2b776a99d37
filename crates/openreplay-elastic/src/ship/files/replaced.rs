//! Files that were replaced by a copy under the same name, as rsync does.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use super::Files;
use crate::ship::folders::{Folders, Lookup};
use crate::ship::position::Position;
use crate::ship::tail::Tail;

/// A file that a path led to before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Earlier {
    /// A followed file.
    Followed(usize),
    /// The known file with this seed, from the checkpoint.
    Known(u64),
}

impl Files {
    /// Returns the position of the file that `tail` replaced, if `tail` contains everything that
    /// was delivered of that file and that file is gone. Several files may have been at the path:
    /// the longest one counts.
    pub(super) fn take_replaced(
        &mut self,
        tail: &Tail,
        folders: &mut Folders,
    ) -> io::Result<Option<Position>> {
        let earlier = self
            .before
            .get_or_insert_with(|| by_path(&self.tails, self.known.iter()));
        let earlier = earlier.get(&tail.path).cloned().unwrap_or_default();
        let mut longest: Option<(Earlier, Position)> = None;
        for file in earlier {
            if let Some(position) = self.check_gone(file, folders)
                && tail.holds(&position)?
                && longest
                    .as_ref()
                    .is_none_or(|(_, longest)| longest.delivered.offset < position.delivered.offset)
            {
                longest = Some((file, position));
            }
        }
        let Some((file, position)) = longest else {
            return Ok(None);
        };
        match file {
            Earlier::Followed(at) => self.tails[at].hand_over(),
            Earlier::Known(seed) => _ = self.known.take(seed),
        }
        Ok(Some(position))
    }

    /// Checks whether a file no longer exists, and returns its position if so.
    fn check_gone(&mut self, file: Earlier, folders: &mut Folders) -> Option<Position> {
        match file {
            Earlier::Followed(at) => {
                let tail = &mut self.tails[at];
                let position = tail.position()?;
                let is_gone = if tail.is_open() {
                    tail.look().is_ok() && tail.is_deleted()
                } else {
                    is_missing(&position, folders)
                };
                is_gone.then_some(position)
            }
            Earlier::Known(seed) => {
                let known = self.known.get(seed)?;
                is_missing(known, folders).then(|| known.clone())
            }
        }
    }
}

pub(super) fn is_missing(position: &Position, folders: &mut Folders) -> bool {
    let mut find = || folders.find(&position.path, position.identity.inode());
    position.existence.is_deleted() || matches!(find(), Lookup::Missing)
}

fn by_path<'a>(
    tails: &[Tail],
    known: impl Iterator<Item = &'a Position>,
) -> HashMap<PathBuf, Vec<Earlier>> {
    let known = known.map(|known| (&known.path, Earlier::Known(known.seed)));
    let tails = tails.iter().enumerate();
    let tails = tails.map(|(at, tail)| (&tail.path, Earlier::Followed(at)));
    let mut files = HashMap::<_, Vec<_>>::new();
    for (path, file) in known.chain(tails) {
        files.entry(path.clone()).or_default().push(file);
    }
    files
}
