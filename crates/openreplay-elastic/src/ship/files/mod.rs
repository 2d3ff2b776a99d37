use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::decide::{Resend, Whereabouts};
use self::known::Known;
use self::replaced::Earlier;
use super::hash::Hash;
use super::lines::Framed;
use super::mode::Mode;
use super::patterns::Pattern;
use super::position::{Part, Position};
use super::system::{Node, may_be_open};
use super::tail::{LastLine, Origin, Tail};
use super::trusted::Links;
use super::unreadable::{Problems, Unreadable};
use crate::envelope::Format;
use crate::transport::error::Error;

mod copies;
mod decide;
mod known;
mod open;
mod replaced;
mod rotated;
mod scan;
#[cfg(test)]
mod tests;

/// How long a file that no pattern matches any more must be quiet until it is no longer followed.
/// Its writer may take a while to switch to the new file.
const QUIET: Duration = Duration::from_secs(60);

/// The files that are followed, and those that are known from the checkpoint.
#[derive(Debug)]
pub(super) struct Files {
    mode: Mode,
    patterns: Vec<Pattern>,
    tails: Vec<Tail>,
    /// The indices of all tails that are open, and of some that were open before.
    open: Vec<usize>,
    known: Known,
    /// Which file each path led to when the scan began; `None` until that is needed.
    before: Option<HashMap<PathBuf, Vec<Earlier>>>,
    hash: Hash,
    format: Format,
    links: Links,
    /// When the known files were last searched for.
    searched: Option<Instant>,
    /// Where the next batch starts, so that one busy file does not hold up the others.
    next: usize,
    /// How many files may be open at a time.
    most_open: usize,
    problems: Problems,
    /// The paths that are never followed.
    except: Vec<PathBuf>,
    buffer: Vec<u8>,
    /// How many files were checked to open others.
    #[cfg(test)]
    steps: usize,
    /// A file was moved during the scan, which may have missed it.
    is_moving: bool,
}

/// The index of each followed file.
type Places = HashMap<Node, usize>;

/// The outcome for bytes that were in flight when the last run ended.
#[derive(Debug, Default)]
pub(super) struct Reread {
    pub(super) framed: Framed,
    /// The bytes are no longer in their file.
    pub(super) lost: Vec<Part>,
    /// The file cannot be read for now.
    pub(super) waiting: Vec<Part>,
}

impl Files {
    pub(super) fn new(
        patterns: &[OsString],
        known: Vec<Position>,
        hash: Hash,
    ) -> Result<Self, Error> {
        let patterns = patterns.iter().map(|pattern| Pattern::parse(pattern));
        Ok(Self {
            mode: Mode::Follow,
            patterns: patterns.collect::<Result<_, _>>()?,
            tails: Vec::new(),
            open: Vec::new(),
            known: Known::new(known),
            before: None,
            hash,
            format: Format::Auto,
            links: Links::default(),
            searched: None,
            next: 0,
            most_open: may_be_open(),
            problems: Problems::new(),
            except: Vec::new(),
            buffer: Vec::new(),
            #[cfg(test)]
            steps: 0,
            is_moving: false,
        })
    }

    /// Sets which links are followed. Default: trusted links.
    pub(super) fn links(mut self, links: Links) -> Self {
        self.links = links;
        self
    }

    /// Excludes these paths, even if a pattern matches them.
    pub(super) fn except(mut self, paths: impl Into<Vec<PathBuf>>) -> Self {
        self.except = paths.into();
        self
    }

    /// Sets the format whose envelopes are removed from the lines. Default: any.
    pub(super) fn with_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Reads whole lines, one file after another, until there is enough. Returns `None` if there
    /// are no lines.
    pub(super) fn fill(&mut self, enough: usize) -> Option<Framed> {
        let mut framed = Framed::default();
        let mut families = None;
        let mut is_within = false;
        let mut compressed = self.choose_compressed(&mut families);
        for turn in 0..self.tails.len() {
            let at = (self.next + turn) % self.tails.len();
            let waits = self.tails[at].is_compressed() && compressed != Some(at);
            let is_read = self.tails[at].has_more()
                && !waits
                && self.reopen(at)
                && self.prepare_to_read(at, &mut families);
            if !is_read {
                continue;
            }
            is_within |= self.fill_from(at, &mut framed, enough);
            if framed.body.len() >= enough {
                self.next = at + 1;
                break;
            }
        }
        // If the compressed file failed, or has no more lines, another one can be read.
        while framed.body.len() < enough && compressed.is_some_and(|at| !self.tails[at].has_more())
        {
            compressed = self.choose_compressed(&mut families);
            if let Some(at) = compressed {
                is_within |= self.fill_from(at, &mut framed, enough);
            }
        }
        (is_within || !framed.parts.is_empty()).then_some(framed)
    }

    /// Returns whether it stopped within a long line.
    fn fill_from(&mut self, at: usize, framed: &mut Framed, enough: usize) -> bool {
        if framed.body.capacity() == 0 {
            framed.body.reserve(enough + enough / 4);
        }
        let last = match self.mode {
            Mode::Once => LastLine::IfWhole,
            Mode::Follow => LastLine::Wait,
        };
        let filled = self.tails[at].fill(framed, &mut self.buffer, enough, last);
        filled.unwrap_or_else(|error| {
            self.fail(at, &error);
            false
        })
    }

    /// Reads again what was in flight when the last run ended.
    pub(super) fn reread(&mut self, parts: &[Part]) -> Reread {
        let places = self.places_by_seed();
        let mut reread = Reread::default();
        for part in parts {
            let place = places.get(&part.seed).copied();
            match decide::resend(self.open_to_reread(part, place)) {
                Resend::Read => {}
                Resend::Wait => {
                    reread.waiting.push(part.clone());
                    continue;
                }
                Resend::WaitMissing => {
                    let reason = format!(
                        "it is missing, with {} bytes that may not have been delivered",
                        part.bytes()
                    );
                    self.problems.add(&part.path, &reason);
                    reread.waiting.push(part.clone());
                    continue;
                }
                Resend::Lost => {
                    reread.lost.push(part.clone());
                    continue;
                }
            }
            let Some(at) = place else { continue };
            match self.tails[at].reread(part, &mut reread.framed) {
                Ok(true) => {}
                Ok(false) => reread.lost.push(part.clone()),
                Err(error) => {
                    self.fail(at, &error);
                    reread.waiting.push(part.clone());
                }
            }
        }
        reread
    }

    /// Opens the file of a part, if possible, and returns the state of the file. A file that cannot
    /// be read fails until the next scan.
    fn open_to_reread(&mut self, part: &Part, place: Option<usize>) -> Whereabouts {
        let Some(at) = place else {
            return match self.known.get(part.seed) {
                Some(known) => Whereabouts::Known {
                    is_deleted: Self::is_deleted(known) || self.is_overwritten(known),
                },
                None => Whereabouts::Unknown,
            };
        };
        let is_readable = !self.tails[at].is_failing() && self.reopen(at);
        if !is_readable && !self.tails[at].is_away() {
            // No other line of the file may be sent before these.
            self.tails[at].fail();
        }
        Whereabouts::Followed { is_readable }
    }

    pub(super) fn mark_delivered(&mut self, parts: &[Part]) {
        let places = self.places_by_seed();
        for part in parts {
            if let Some(at) = places.get(&part.seed) {
                self.tails[*at].mark_delivered(part);
            }
        }
    }

    fn places_by_seed(&self) -> HashMap<u64, usize> {
        let tails = self.tails.iter().enumerate();
        tails.map(|(at, tail)| (tail.seed(), at)).collect()
    }

    pub(super) fn positions(&self) -> Vec<Position> {
        let followed = self.tails.iter().filter_map(Tail::position);
        followed.chain(self.known.iter().cloned()).collect()
    }

    /// Returns the paths of the files that are followed.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.tails.iter().map(|tail| tail.path.clone()).collect()
    }

    /// Returns the number of bytes in all files, the number of bytes that are delivered, and how
    /// many files end within a line.
    pub(super) fn sums(&self) -> (u64, u64, u64) {
        let tails = self.tails.iter();
        // The lines of a copy are counted for its original.
        let tails = tails.filter(|tail| !matches!(tail.origin(), Origin::CopyOf(_)));
        let bytes = tails.clone().map(Tail::extent).sum();
        let done = tails.clone().map(|tail| tail.offset().min(tail.extent()));
        let unfinished = tails.clone().filter(|tail| tail.is_unfinished()).count();
        (bytes, done.sum(), unfinished as u64)
    }

    /// Returns whether another scan would find nothing more of what existed at the start.
    pub(super) fn is_settled(&self) -> bool {
        let is_waiting =
            |tail: &Tail| tail.origin() == Origin::Unsettled && tail.identity().is_some();
        let is_open = |tail: &Tail| tail.is_left() || is_waiting(tail);
        !self.is_moving && !self.tails.iter().any(is_open)
    }

    /// Reports the files whose remaining lines could not be found.
    pub(super) fn report_rest(&mut self) {
        self.report_damaged();
        for tail in self.tails.iter().filter(|tail| tail.is_left()) {
            let left = tail.extent() - tail.offset();
            let reason =
                format!("it was moved during the run, with {left} bytes that were not delivered");
            self.problems.add(&tail.path, &reason);
        }
    }

    pub(super) fn unreadable(&self) -> Vec<Unreadable> {
        self.problems.list()
    }

    /// Returns the messages that the operator has not seen yet.
    pub(super) fn take_messages(&mut self) -> Vec<String> {
        self.problems.take_messages()
    }

    fn fail(&mut self, at: usize, error: &io::Error) {
        let tail = &mut self.tails[at];
        tail.fail();
        self.problems.add(&tail.path, &error);
    }
}
