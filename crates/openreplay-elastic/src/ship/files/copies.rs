//! Compressed copies of files, as log rotation creates them. A copy continues where its original
//! stopped.
//!
//! A compressed file whose first line is that of another file may be a copy of that file. As long
//! as the original exists, the original delivers the lines; then the copy takes over.

use std::collections::HashMap;
use std::io;

use super::Files;
use super::decide::Left;
use super::replaced::{Earlier, is_missing};
use super::rotated::{Families, unrotated};
use crate::ship::content::Content;
use crate::ship::folders::{Folders, Lookup};
use crate::ship::identity::Identity;
use crate::ship::mode::Mode;
use crate::ship::position::Position;
use crate::ship::tail::{Comparison, Origin, Tail};

/// The files that may be originals, by the hash of their first line.
type ByFirstLine = HashMap<u64, Vec<Earlier>>;

impl Files {
    /// Finds out which new compressed files are copies. Lets copies take over from originals that
    /// are gone.
    pub(super) fn settle(&mut self, folders: &mut Folders) {
        let waiting = |tail: &Tail| tail.origin() != Origin::Own && tail.identity().is_some();
        let tails = self.tails.iter().enumerate();
        let waiting: Vec<_> = tails
            .filter(|(_, tail)| waiting(tail) && !tail.is_failing())
            .map(|(at, _)| at)
            .collect();
        if waiting.is_empty() {
            return;
        }
        let mut originals = self.originals();
        for at in waiting {
            if self.tails[at].is_missing() || !self.reopen(at) {
                continue;
            }
            if let Err(error) = self.settle_one(at, &mut originals, folders) {
                self.fail(at, &error);
            }
            self.tails[at].release();
        }
    }

    /// Remembers how far rewritten files were delivered before: a copy may have their old text.
    pub(super) fn remember_rewritten(&mut self) {
        let before: Vec<_> = self
            .tails
            .iter_mut()
            .filter_map(Tail::take_before)
            .collect();
        for position in before {
            self.remember(Some(position), Left::Missing);
        }
    }

    fn originals(&self) -> ByFirstLine {
        let mut originals = ByFirstLine::new();
        let own = self.tails.iter().enumerate();
        let own = own.filter(|(_, tail)| tail.origin() == Origin::Own);
        let own = own.filter_map(|(at, tail)| Some((tail.identity()?, Earlier::Followed(at))));
        let known = self.known.iter();
        let known = known.map(|known| (known.identity, Earlier::Known(known.seed)));
        for (identity, file) in own.chain(known) {
            originals.entry(identity.head()).or_default().push(file);
        }
        originals
    }

    fn settle_one(
        &mut self,
        at: usize,
        originals: &mut ByFirstLine,
        folders: &mut Folders,
    ) -> io::Result<()> {
        if let Origin::CopyOf(seed) = self.tails[at].origin()
            && let Some(original) = self.find_seed(seed)
            && !self.is_compressed(original)
        {
            return if self.check_exists(original, folders)? {
                Ok(())
            } else {
                self.take_over(at, original)
            };
        }
        let Some(identity) = self.tails[at].identity() else {
            return Ok(());
        };
        let originals = originals.entry(identity.head()).or_default();
        let mut is_open = false;
        for (place, original) in originals.iter().copied().enumerate() {
            match self.compare(at, original, folders)? {
                Comparison::Same => {
                    self.bind(at, original, folders)?;
                    if self.tails[at].origin() == Origin::Own {
                        // Another copy continues this one.
                        originals[place] = Earlier::Followed(at);
                    }
                    return Ok(());
                }
                Comparison::Different | Comparison::Unlike => {}
                Comparison::Open | Comparison::Early => is_open = true,
            }
        }
        let origin = if is_open {
            Origin::Unsettled
        } else {
            originals.push(Earlier::Followed(at));
            Origin::Own
        };
        self.tails[at].set_origin(origin);
        Ok(())
    }

    /// Lets a copy wait for its original, or take over at once.
    fn bind(&mut self, at: usize, original: Earlier, folders: &mut Folders) -> io::Result<()> {
        if self.is_compressed(original) || !self.check_exists(original, folders)? {
            return self.take_over(at, original);
        }
        let seed = self.seed_of(original);
        self.tails[at].set_origin(Origin::CopyOf(seed));
        Ok(())
    }

    fn seed_of(&self, original: Earlier) -> u64 {
        match original {
            Earlier::Followed(at) => self.tails[at].seed(),
            Earlier::Known(seed) => seed,
        }
    }

    fn find_seed(&self, seed: u64) -> Option<Earlier> {
        let followed = self.tails.iter().position(|tail| tail.seed() == seed);
        let known = || self.known.get(seed).map(|_| Earlier::Known(seed));
        followed.map(Earlier::Followed).or_else(known)
    }

    fn is_compressed(&self, original: Earlier) -> bool {
        match original {
            Earlier::Followed(at) => self.tails[at].is_compressed(),
            Earlier::Known(seed) => self
                .known
                .get(seed)
                .is_some_and(|known| known.compressed_length.is_some()),
        }
    }

    /// Checks whether a file still exists, or is open with lines that are not delivered.
    fn check_exists(&mut self, original: Earlier, folders: &mut Folders) -> io::Result<bool> {
        match original {
            Earlier::Known(seed) => match self.known.get(seed).cloned() {
                Some(known) => Ok(self.open_known(&known, folders)?.is_some()),
                None => Ok(false),
            },
            Earlier::Followed(at) => {
                let tail = &mut self.tails[at];
                if tail.is_open() {
                    let is_deleted = tail.look().is_ok() && tail.is_deleted();
                    return Ok(!is_deleted || tail.has_more() || tail.is_in_flight());
                }
                let position = tail.position();
                Ok(position.is_none_or(|position| !is_missing(&position, folders)))
            }
        }
    }

    fn compare(
        &mut self,
        at: usize,
        original: Earlier,
        folders: &mut Folders,
    ) -> io::Result<Comparison> {
        let seed = self.seed_of(original);
        if let Some(result) = self.tails[at].compared(seed) {
            return Ok(result);
        }
        let result = match original {
            Earlier::Followed(of) => self.compare_followed(at, of),
            Earlier::Known(seed) => self.compare_known(at, seed, folders),
        }?;
        self.tails[at].note_comparison(seed, result);
        Ok(result)
    }

    fn compare_followed(&mut self, at: usize, of: usize) -> io::Result<Comparison> {
        let original = &self.tails[of];
        if original.is_compressed() {
            if !original.is_finished() {
                return Ok(Comparison::Open);
            }
        } else if original.is_open() {
            return self.tails[at].compare(original);
        } else if let Some(content) = self.open_closed(original)? {
            return self.tails[at].compare_with(&content);
        }
        match self.tails[of].position() {
            Some(position) => self.compare_delivered(at, &position),
            None => Ok(Comparison::Different),
        }
    }

    /// Opens a closed file for a moment. Returns `None` if the file is no longer at its path.
    fn open_closed(&self, tail: &Tail) -> io::Result<Option<Content>> {
        let content = match self.links.open(&tail.path) {
            Ok(file) => Content::of(file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_it = content.seen()?.node == tail.node();
        Ok(is_it.then_some(content))
    }

    fn compare_known(
        &mut self,
        at: usize,
        seed: u64,
        folders: &mut Folders,
    ) -> io::Result<Comparison> {
        let Some(known) = self.known.get(seed).cloned() else {
            return Ok(Comparison::Different);
        };
        match self.open_known(&known, folders)? {
            Some(original) if !original.is_compressed() => self.tails[at].compare_with(&original),
            _ => self.compare_delivered(at, &known),
        }
    }

    /// Opens a known file for a moment. Returns `None` if the file is gone, even if another file
    /// has its inode.
    fn open_known(&self, known: &Position, folders: &mut Folders) -> io::Result<Option<Content>> {
        if known.existence.is_deleted() {
            return Ok(None);
        }
        let path = match folders.find(&known.path, known.identity.inode()) {
            Lookup::Missing => return Ok(None),
            Lookup::Unknown(error) => return Err(error),
            Lookup::Found(path) => path,
        };
        let content = match self.links.open(&path) {
            Ok(file) => Content::of(file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let identity = Identity::of(&content, &content.seen()?, self.hash)?;
        let is_it =
            identity == Some(known.identity) && known.delivered.is_in(&content, self.hash)?;
        Ok(is_it.then_some(content))
    }

    fn compare_delivered(&self, at: usize, known: &Position) -> io::Result<Comparison> {
        let tail = &self.tails[at];
        let is_like = unrotated(&tail.path) == unrotated(&known.path);
        tail.compare_delivered(known, is_like)
    }

    fn take_over(&mut self, at: usize, original: Earlier) -> io::Result<()> {
        // A compressed original that still exists keeps its own position.
        let keeps = self.is_compressed(original);
        let position = match original {
            Earlier::Followed(of) => {
                let position = self.tails[of].position();
                if !keeps {
                    self.tails[of].hand_over();
                }
                position
            }
            Earlier::Known(seed) if keeps => self.known.get(seed).cloned(),
            Earlier::Known(seed) => self.known.take(seed),
        };
        let tail = &mut self.tails[at];
        match position {
            Some(position) if keeps => tail.take_over(Position {
                seed: tail.seed(),
                ..position
            }),
            Some(position) => tail.take_over(position),
            None => Ok(()),
        }
    }

    /// Chooses the one compressed file that may be read now, since decompression takes memory for
    /// each file. The oldest file comes first, because newer ones may wait for it; files that
    /// failed come last.
    pub(super) fn choose_compressed(&mut self, families: &mut Option<Families>) -> Option<usize> {
        let tails = self.tails.iter().enumerate();
        let compressed = tails.filter(|(_, tail)| tail.is_compressed() && tail.has_more());
        let mut compressed: Vec<_> = compressed.map(|(at, _)| at).collect();
        compressed.sort_by_key(|at| (self.tails[*at].has_failed(), self.tails[*at].modified()));
        let mut compressed = compressed.into_iter();
        let chosen = compressed.find(|at| self.reopen(*at) && self.prepare_to_read(*at, families));
        for (at, tail) in self.tails.iter_mut().enumerate() {
            if Some(at) != chosen {
                tail.release();
            }
        }
        chosen
    }

    /// Reports compressed files whose data is damaged, or ends early without growing.
    pub(super) fn report_damaged(&mut self) {
        for tail in &self.tails {
            if let Origin::CopyOf(_) = tail.origin() {
                continue;
            }
            let Some((reason, is_certain)) = tail.damage() else {
                continue;
            };
            let is_quiet = tail.last_growth.elapsed() > super::QUIET;
            if is_certain || is_quiet || self.mode == Mode::Once {
                self.problems.add(&tail.path, &reason);
            }
        }
    }
}
