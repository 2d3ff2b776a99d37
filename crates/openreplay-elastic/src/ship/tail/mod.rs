use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::hash::Hash;
use super::identity::{Identity, Place};
use super::position::{Part, Piece, Position};
use super::system::{Node, Seen};

mod read;

/// One file, followed under whatever name it has.
#[derive(Debug)]
pub(super) struct Tail {
    /// As it was found.
    name: PathBuf,
    /// Where it is: a link may lead to another one later.
    pub(super) path: PathBuf,
    /// `None` while others need the place: it is opened again when there is something to read.
    file: Option<File>,
    /// As it was when it was looked at last.
    seen: Seen,
    /// Of the `_id`s of its lines.
    seed: u64,
    hash: Hash,
    /// Kept for the checkpoint.
    piece: Option<Piece>,
    /// `None` as long as it has no whole first line.
    identity: Option<Identity>,
    /// How far it is delivered.
    delivered: Place,
    /// How far it is taken to be delivered.
    taken: Place,
    pub(super) length: u64,
    /// For a single run, what comes later is not read.
    end: Option<u64>,
    /// Up to where there is no line feed in what is left.
    searched: u64,
    pub(super) last_growth: Instant,
    /// What is left has no line feed.
    pub(super) unfinished: bool,
    /// No name leads to it any more.
    pub(super) gone: bool,
    /// It is closed, and no name is known that leads to it.
    pub(super) missing: bool,
    /// It cannot be read until the next look.
    pub(super) is_failing: bool,
    /// Its name leads to another file, or to none, until the next look.
    pub(super) is_away: bool,
}

impl Tail {
    pub(super) fn open(path: &Path, hash: Hash) -> io::Result<Self> {
        let file = File::open(path)?;
        let seen = Seen::of(&file)?;
        if !seen.is_file {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        Ok(Self {
            name: path.to_owned(),
            path: real(path),
            identity: Identity::of(&file, hash)?,
            file: Some(file),
            seen,
            seed: fastrand::u64(..),
            hash,
            piece: None,
            delivered: Place::start(hash),
            taken: Place::start(hash),
            length: seen.length,
            end: None,
            searched: 0,
            last_growth: Instant::now(),
            unfinished: false,
            gone: false,
            missing: false,
            is_failing: false,
            is_away: false,
        })
    }

    /// Reads no further than it is long now.
    pub(super) fn end_here(&mut self) {
        self.end = Some(self.length);
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn is_called(&mut self, name: &Path) {
        if self.name != name {
            name.clone_into(&mut self.name);
            self.path = real(name);
        }
    }

    /// Makes place for another one.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// Says whether it is still under its name.
    pub(super) fn reopen(&mut self) -> io::Result<bool> {
        let file = File::open(&self.path)?;
        let is_it = Seen::of(&file)?.node == self.node();
        self.file = is_it.then_some(file);
        Ok(is_it)
    }

    pub(super) fn node(&self) -> Node {
        self.seen.node
    }

    /// Whether nothing happened to it since it was looked at last.
    pub(super) fn is_as(&self, seen: &Seen) -> bool {
        self.seen.is_same_as(seen)
    }

    /// Gives it up: says how many bytes of it were not read.
    pub(super) fn give_up(&mut self) -> u64 {
        let left = self.length.saturating_sub(self.taken.offset);
        self.length -= left;
        self.missing = true;
        left
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn offset(&self) -> u64 {
        self.delivered.offset
    }

    /// Whether it is the file of this position, and holds what was delivered of it.
    pub(super) fn continues(&self, known: &Position) -> io::Result<bool> {
        let is_same = self.identity == Some(known.identity);
        Ok(is_same && known.delivered.is_in(self.file()?, self.hash)?)
    }

    pub(super) fn resume(&mut self, known: &Position) {
        self.seed = known.seed;
        self.piece.clone_from(&known.piece);
        self.start_at(known.delivered);
    }

    fn start_at(&mut self, place: Place) {
        self.delivered = place;
        self.taken = place;
    }

    /// Looks how long it is, and whether it was written anew: then it is another file.
    pub(super) fn look(&mut self) -> io::Result<()> {
        let file = self.file()?;
        let seen = Seen::of(file)?;
        let identity = Identity::of(file, self.hash)?;
        let is_in = self.taken.is_in(file, self.hash)?;
        self.gone = seen.deleted;
        let is_other = self.identity.is_some() && identity != self.identity;
        if seen.length < self.taken.offset || is_other || !is_in {
            self.seed = fastrand::u64(..);
            self.piece = None;
            self.start_at(Place::start(self.hash));
            self.length = 0;
            self.end = self.end.and(Some(0));
            self.searched = 0;
        }
        self.identity = identity;
        self.seen = seen;
        let length = self.end.map_or(seen.length, |end| end.min(seen.length));
        if length != self.length {
            self.last_growth = Instant::now();
            self.length = length;
            self.unfinished = false;
            self.searched = self.searched.min(length);
        }
        Ok(())
    }

    pub(super) fn position(&self) -> Option<Position> {
        Some(Position {
            seed: self.seed,
            identity: self.identity?,
            path: self.path.clone(),
            delivered: self.delivered,
            missing_since: None,
            piece: self.piece.clone(),
        })
    }

    pub(super) fn has_more(&self) -> bool {
        let has_lines = self.identity.is_some() && !self.unfinished;
        has_lines && self.taken.offset < self.length && !self.is_failing
    }

    /// Whether there are lines of it that were neither read nor found to be unreadable.
    pub(super) fn is_left(&self) -> bool {
        self.delivered.offset < self.length && (self.is_away || self.has_more())
    }

    fn file(&self) -> io::Result<&File> {
        let file = self.file.as_ref();
        file.ok_or_else(|| io::Error::other("it is not open"))
    }

    /// Says that a stretch is delivered.
    pub(super) fn done(&mut self, part: &Part) {
        if part.to.offset > self.delivered.offset {
            self.delivered = part.to;
        }
        if part.to.offset > self.taken.offset {
            self.taken = part.to;
        }
    }
}

fn real(path: &Path) -> PathBuf {
    let real = path.is_symlink().then(|| path.canonicalize().ok());
    real.flatten().unwrap_or_else(|| path.to_owned())
}
