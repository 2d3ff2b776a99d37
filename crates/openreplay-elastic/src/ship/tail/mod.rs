use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use self::compressed::Compressed;
use self::state::{Observed, is_rewritten};
use super::content::{Content, Ending, UNKNOWN};
use super::hash::Hash;
use super::identity::{Identity, Place, end_of_first_line};
use super::position::{Existence, Part, Pieces, Position};
use super::system::{Node, Seen};
use super::trusted::Links;
use crate::envelope::Format;

pub(super) use self::copy::Comparison;
pub(super) use self::read::LastLine;
pub(super) use self::state::{Origin, State};

mod compressed;
mod copy;
mod read;
mod state;

/// A place in a file, and the beginnings of lines in pieces before that place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    place: Place,
    pieces: Pieces,
}

impl Mark {
    fn start(hash: Hash) -> Self {
        Self {
            place: Place::start(hash),
            pieces: Pieces::default(),
        }
    }
}

/// A file that is followed, whatever its name is.
#[derive(Debug)]
pub(super) struct Tail {
    /// The name that a scan found.
    name: PathBuf,
    /// The path of the file itself: the name may be a link that leads to another file later.
    pub(super) path: PathBuf,
    /// `None` while the file is closed to make room for others. It is opened again when there is
    /// something to read.
    content: Option<Content>,
    state: State,
    /// The last reading failed.
    has_failed: bool,
    /// `None` for a file that is not compressed.
    compressed: Option<Compressed>,
    /// The metadata from the last check.
    seen: Seen,
    /// The start of the `_id`s of its lines.
    seed: u64,
    hash: Hash,
    format: Format,
    /// `None` as long as there is no complete first line.
    identity: Option<Identity>,
    /// How far the file is delivered.
    delivered: Mark,
    /// How far the file is read. What is between the two marks is in flight.
    read_to: Mark,
    pub(super) length: u64,
    /// Where a single run stops reading.
    end: Option<u64>,
    /// There is no line feed between `read_to` and this offset.
    searched: u64,
    pub(super) last_growth: Instant,
    /// The last scan did not find the file, either.
    was_lost: bool,
    /// How far the file was delivered before it was rewritten.
    before: Option<Position>,
}

impl Tail {
    pub(super) fn open(path: &Path, links: Links, hash: Hash, format: Format) -> io::Result<Self> {
        let content = Content::of(links.open(path)?)?;
        let seen = content.seen()?;
        let identity = Identity::of(&content, &seen, hash)?;
        content.release();
        let is_compressed = content.is_compressed();
        Ok(Self {
            name: path.to_owned(),
            path: resolved(path),
            identity,
            content: Some(content),
            state: State::Readable,
            has_failed: false,
            compressed: is_compressed.then(Compressed::default),
            seen,
            seed: fastrand::u64(..),
            hash,
            format,
            delivered: Mark::start(hash),
            read_to: Mark::start(hash),
            length: if is_compressed { UNKNOWN } else { seen.length },
            end: None,
            searched: 0,
            last_growth: Instant::now(),
            was_lost: false,
            before: None,
        })
    }

    /// Stops reading at the current length of the file.
    pub(super) fn end_here(&mut self) {
        if !self.is_compressed() {
            self.end = Some(self.length);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.content.is_some()
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn is_failing(&self) -> bool {
        self.state == State::Failing
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.state == State::Deleted
    }

    pub(super) fn is_missing(&self) -> bool {
        self.state == State::Missing
    }

    pub(super) fn is_away(&self) -> bool {
        self.state == State::Away
    }

    /// Retries what failed since the last scan.
    pub(super) fn start_scan(&mut self) {
        self.state = self.state.next_scan();
    }

    /// Does not read the file before the next scan.
    pub(super) fn fail(&mut self) {
        self.state = State::Failing;
        self.has_failed = true;
        self.release();
    }

    /// Whether it failed since it was last read.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    pub(super) fn set_name(&mut self, name: &Path) {
        if self.name != name {
            name.clone_into(&mut self.name);
            self.path = resolved(name);
        }
    }

    /// Closes the file to make room for another one.
    pub(super) fn close(&mut self) {
        self.content = None;
    }

    /// Opens the file again, and checks it. Returns whether the file is still under its name.
    pub(super) fn reopen(&mut self, links: Links) -> io::Result<bool> {
        let opened = match links.open(&self.path) {
            Ok(file) if Seen::of(&file)?.node == self.node() => Some(Content::of(file)?),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let Some(content) = opened else {
            // The file was moved; the next scan finds it.
            self.content = None;
            self.state = State::Away;
            return Ok(false);
        };
        if content.is_compressed() != self.is_compressed() {
            // The inode was reused for another file.
            self.start_anew();
            self.identity = None;
            self.set_compressed(content.is_compressed());
        }
        self.content = Some(content);
        self.was_lost = false;
        self.look()?;
        Ok(true)
    }

    /// Returns when the file was last written to, as of the last check.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.seen.modified()
    }

    pub(super) fn node(&self) -> Node {
        self.seen.node
    }

    /// Returns whether the file cannot have changed since the last check.
    pub(super) fn is_unchanged(&self, seen: &Seen) -> bool {
        self.seen.is_same_as(seen)
    }

    /// Notes that no name of the file was found. Returns whether the last scan found none, either.
    pub(super) fn note_lost(&mut self) -> bool {
        std::mem::replace(&mut self.was_lost, true)
    }

    /// Does not read the file before the next scan, which may find its name.
    pub(super) fn wait(&mut self) {
        self.state = State::Away;
    }

    /// Gives up a file that no name leads to. Returns how many of its bytes were not read.
    pub(super) fn give_up(&mut self) -> u64 {
        let left = self.extent().saturating_sub(self.read_to.place.offset);
        self.length = self.read_to.place.offset;
        self.state = State::Missing;
        left
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns how far the file is delivered.
    pub(super) fn offset(&self) -> u64 {
        self.delivered.place.offset
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Returns whether this is the file of the position and contains what was delivered of it.
    pub(super) fn continues(&self, known: &Position) -> io::Result<bool> {
        let is_same = self.identity == Some(known.identity);
        let is_all = known.compressed_length == Some(self.seen.length) && self.is_compressed();
        Ok(is_same && (is_all || known.delivered.is_in(self.content()?, self.hash)?))
    }

    /// Returns whether the file contains what was delivered of another file, and that is more than
    /// the first line, which may be the same in all files.
    pub(super) fn holds(&self, known: &Position) -> io::Result<bool> {
        let is_like = |identity: Identity| identity.is_like(&known.identity);
        Ok(self.identity.is_some_and(is_like)
            && known.delivered.offset > end_of_first_line(self.content()?)?
            && known.delivered.is_in(self.content()?, self.hash)?)
    }

    /// Leaves the remaining lines to the file that replaced this one.
    pub(super) fn hand_over(&mut self) {
        self.seed = fastrand::u64(..);
        self.identity = None;
        self.content = None;
        self.length = self.read_to.place.offset;
        self.state = State::Missing;
    }

    pub(super) fn resume(&mut self, known: &Position) {
        self.seed = known.seed;
        self.set_origin(Origin::Own);
        if let Some(compressed) = &mut self.compressed
            && known.compressed_length == Some(self.seen.length)
        {
            self.length = known.delivered.offset;
            compressed.ending = Some(Ending::Complete);
        }
        self.start_at(Mark {
            place: known.delivered,
            pieces: known.pieces.clone(),
        });
    }

    fn start_at(&mut self, mark: Mark) {
        self.delivered = mark.clone();
        self.read_to = mark;
    }

    /// Checks the length of the file, and whether it was rewritten, in which case it counts as
    /// another file.
    pub(super) fn look(&mut self) -> io::Result<()> {
        if !self.is_compressed() && self.identity.is_none() {
            self.recognise()?;
        }
        let was_rewritten = self.check_content()?;
        if was_rewritten && !self.is_compressed() {
            self.recognise()?;
            if self.is_compressed() {
                self.check_content()?;
            }
        }
        Ok(())
    }

    /// Returns whether the file was rewritten.
    fn check_content(&mut self) -> io::Result<bool> {
        let mut was_rewritten = false;
        let content = self.content()?;
        let seen = content.seen()?;
        // A compressed file is written once, from start to end.
        let goes_on = self.is_compressed() && seen.length > self.seen.length;
        if !self.is_compressed() || !self.seen.is_like(&seen) {
            if goes_on {
                content.grow();
            } else {
                content.start_over();
            }
            let now = Observed {
                length: if self.is_compressed() {
                    UNKNOWN
                } else {
                    seen.length
                },
                identity: match self.identity {
                    Some(identity) if goes_on => Some(identity),
                    _ => Identity::of(content, &seen, self.hash)?,
                },
                holds_text_read: goes_on || self.read_to.place.is_in(content, self.hash)?,
            };
            if let Some(compressed) = &mut self.compressed {
                compressed.check_again();
            }
            was_rewritten = self.observe(&now);
        }
        self.state = if seen.deleted {
            State::Deleted
        } else {
            State::Readable
        };
        self.seen = seen;
        Ok(was_rewritten)
    }

    /// Detects compression again: a file that has no first line yet, or that was rewritten, may
    /// turn out to be compressed.
    fn recognise(&mut self) -> io::Result<()> {
        let content = self.content()?.redetect()?;
        if content.is_compressed() {
            self.content = Some(content);
            self.set_compressed(true);
        }
        Ok(())
    }

    fn set_compressed(&mut self, is_compressed: bool) {
        self.compressed = is_compressed.then(Compressed::default);
        self.end = self.end.filter(|_| !is_compressed);
        self.seen.length = 0;
    }

    /// Returns whether the file was rewritten.
    fn observe(&mut self, now: &Observed) -> bool {
        let was_rewritten = is_rewritten(self.identity, self.read_to.place.offset, now);
        if was_rewritten {
            self.start_anew();
        }
        self.identity = now.identity;
        let length = self.end.map_or(now.length, |end| end.min(now.length));
        if length != self.length {
            self.last_growth = Instant::now();
            self.length = length;
            self.searched = self.searched.min(length);
        }
        was_rewritten
    }

    /// Treats the file as another file from now on.
    fn start_anew(&mut self) {
        self.before = self.position().filter(|before| before.delivered.offset > 0);
        self.seed = fastrand::u64(..);
        // The beginning of a line is delivered even if the line is never completed.
        let mut pieces = std::mem::take(&mut self.read_to.pieces);
        pieces.end(|_| true);
        self.start_at(Mark {
            pieces,
            ..Mark::start(self.hash)
        });
        self.length = 0;
        self.end = self.end.and(Some(0));
        self.searched = 0;
    }

    /// Takes the position from before the file was rewritten.
    pub(super) fn take_before(&mut self) -> Option<Position> {
        self.before.take()
    }

    pub(super) fn position(&self) -> Option<Position> {
        if self.origin() != Origin::Own {
            return None;
        }
        Some(Position {
            seed: self.seed,
            identity: self.identity?,
            path: self.path.clone(),
            delivered: self.delivered.place,
            existence: Existence::There,
            compressed_length: self.is_all_delivered().then_some(self.seen.length),
            pieces: self.delivered.pieces.clone(),
        })
    }

    pub(super) fn has_more(&self) -> bool {
        let is_readable = !matches!(self.state, State::Failing | State::Away);
        let has_lines = self.read_to.place.offset < self.length && self.searched < self.length;
        let is_own = self.origin() == Origin::Own && self.identity.is_some();
        is_readable && is_own && (has_lines || self.read_to.pieces.has_over())
    }

    /// Returns the length of the text, as far as it is known.
    pub(super) fn extent(&self) -> u64 {
        match self.length {
            UNKNOWN => self.read_to.place.offset.max(self.seen.length),
            length => length,
        }
    }

    /// Returns whether nothing of the file was read.
    pub(super) fn is_untouched(&self) -> bool {
        self.read_to.place.offset == 0 && self.read_to.pieces.is_empty()
    }

    /// Returns whether some of the text that was read is in flight.
    pub(super) fn is_in_flight(&self) -> bool {
        self.delivered != self.read_to
    }

    /// Returns whether the text that was read ends within a line.
    pub(super) fn has_pieces(&self) -> bool {
        !self.read_to.pieces.is_empty()
    }

    /// Takes over the incomplete lines of another file. Neither file may have anything in flight.
    pub(super) fn inherit(&mut self, before: &mut Self) {
        before.delivered.pieces = Pieces::default();
        let pieces = std::mem::take(&mut before.read_to.pieces);
        self.read_to.pieces.inherit(pieces);
        self.delivered.pieces.clone_from(&self.read_to.pieces);
    }

    /// Gives up waiting for the remaining pieces of lines.
    pub(super) fn end_pieces(&mut self) {
        self.read_to.pieces.end(|_| true);
        self.delivered.pieces.clone_from(&self.read_to.pieces);
    }

    /// Returns whether lines remain that were neither read nor found to be unreadable.
    pub(super) fn is_left(&self) -> bool {
        self.offset() < self.extent() && (self.state == State::Away || self.has_more())
    }

    /// Returns whether the file ends within a line.
    pub(super) fn is_unfinished(&self) -> bool {
        let is_within = self.offset() < self.length || !self.delivered.pieces.is_empty();
        is_within && self.state != State::Failing && self.origin() == Origin::Own
    }

    fn content(&self) -> io::Result<&Content> {
        let content = self.content.as_ref();
        content.ok_or_else(|| io::Error::other("it is not open"))
    }

    /// Notes that a part is delivered.
    pub(super) fn mark_delivered(&mut self, part: &Part) {
        if part.to.offset > self.read_to.place.offset {
            self.read_to.place = part.to;
        }
        // A part without bytes contains the beginnings of lines whose remaining pieces did not
        // come.
        if part.to.offset >= self.offset() {
            self.delivered = Mark {
                place: part.to,
                pieces: self.read_to.pieces.clone(),
            };
        }
    }
}

fn resolved(path: &Path) -> PathBuf {
    let resolved = path.is_symlink().then(|| path.canonicalize().ok());
    resolved.flatten().unwrap_or_else(|| path.to_owned())
}
