//! Files that were replaced by a copy under the same name, as rsync does.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use super::Files;
use crate::ship::folders::{Folders, Lookup};
use crate::ship::position::Position;
use crate::ship::tail::{State, Tail};

/// The file that a path led to before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Earlier {
    /// A followed file.
    Followed(usize),
    /// The known file with this seed, from the checkpoint.
    Known(u64),
}

impl Files {
    /// Returns the position of the file that `tail` replaced, if `tail` contains everything that
    /// was delivered of that file and that file is gone.
    pub(super) fn take_replaced(
        &mut self,
        tail: &Tail,
        folders: &mut Folders,
    ) -> io::Result<Option<Position>> {
        let before = self
            .before
            .get_or_insert_with(|| by_path(&self.tails, self.known.iter()));
        match before.get(&tail.path).copied() {
            Some(Earlier::Followed(at)) => {
                let before = &mut self.tails[at];
                let Some(position) = before.position() else {
                    return Ok(None);
                };
                let is_gone = if before.is_open() {
                    before.look().is_ok() && before.state() == State::Deleted
                } else {
                    is_missing(&position, folders)
                };
                if !is_gone || !tail.holds(&position)? {
                    return Ok(None);
                }
                before.hand_over();
                Ok(Some(position))
            }
            Some(Earlier::Known(seed)) => match self.known.get(seed) {
                Some(known) if is_missing(known, folders) && tail.holds(known)? => {
                    Ok(self.known.take(seed))
                }
                _ => Ok(None),
            },
            None => Ok(None),
        }
    }
}

pub(super) fn is_missing(position: &Position, folders: &mut Folders) -> bool {
    let found = folders.find(&position.path, position.identity.inode());
    matches!(found, Lookup::Missing)
}

fn by_path<'a>(
    tails: &[Tail],
    known: impl Iterator<Item = &'a Position>,
) -> HashMap<PathBuf, Earlier> {
    let known = known.map(|known| (known.path.clone(), Earlier::Known(known.seed)));
    let tails = tails.iter().enumerate();
    let tails = tails.map(|(at, tail)| (tail.path.clone(), Earlier::Followed(at)));
    known.chain(tails).collect()
}
