use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::hash::Hash;
use super::lines::Framed;
use super::patterns::Pattern;
use super::position::{Part, Position};
use super::system::{Node, may_be_open};
use super::tail::Tail;
use super::unreadable::{Troubles, Unreadable};
use crate::transport::error::Error;

mod known;
mod look;
mod open;
#[cfg(test)]
mod tests;

/// A file that matches no pattern any more is followed until it has been quiet for so long: its writer may take a while
/// to turn to the new one.
const QUIET: Duration = Duration::from_secs(60);

/// The files that are followed, and those that are known from the checkpoint.
#[derive(Debug)]
pub(super) struct Files {
    patterns: Vec<Pattern>,
    tails: Vec<Tail>,
    /// Known positions of files that are not followed.
    known: Vec<Position>,
    hash: Hash,
    /// When those were looked for.
    searched: Option<Instant>,
    /// Where the next batch starts, so that one busy file does not keep the others waiting.
    next: usize,
    /// How many are open at a time.
    most_open: usize,
    troubles: Troubles,
    /// What is followed in no case.
    except: Vec<PathBuf>,
    buffer: Vec<u8>,
    once: bool,
    /// Something was moved while it was looked for, so that the last look may have missed it.
    is_moving: bool,
}

/// Where each followed file is among the others.
type Places = HashMap<Node, usize>;

impl Files {
    pub(super) fn new(
        patterns: &[String],
        known: Vec<Position>,
        hash: Hash,
    ) -> Result<Self, Error> {
        let patterns = patterns.iter().map(|pattern| Pattern::parse(pattern));
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
            tails: Vec::new(),
            known,
            hash,
            searched: None,
            next: 0,
            most_open: may_be_open(),
            troubles: Troubles::new(),
            except: Vec::new(),
            buffer: Vec::new(),
            once: false,
            is_moving: false,
        })
    }

    /// Leaves these out, though a pattern leads to them.
    pub(super) fn except(mut self, paths: impl Into<Vec<PathBuf>>) -> Self {
        self.except = paths.into();
        self
    }

    /// Whole lines of one file after the other, until there is enough.
    pub(super) fn fill(&mut self, enough: usize) -> Option<Framed> {
        let mut framed = Framed::default();
        for turn in 0..self.tails.len() {
            let at = (self.next + turn) % self.tails.len();
            if !self.tails[at].has_more() || !self.is_open(at) {
                continue;
            }
            if framed.body.capacity() == 0 {
                framed.body.reserve(enough + enough / 4);
            }
            let tail = &mut self.tails[at];
            if let Err(error) = tail.fill(&mut framed, &mut self.buffer, enough, self.once) {
                self.fail(at, &error);
            }
            if framed.body.len() >= enough {
                self.next = at + 1;
                break;
            }
        }
        (!framed.parts.is_empty()).then_some(framed)
    }

    /// What was on its way before, the parts of it that are nowhere any more, and those that cannot be read for now.
    pub(super) fn again(&mut self, parts: &[Part]) -> (Framed, Vec<Part>, Vec<Part>) {
        let mut framed = Framed::default();
        let mut gone = Vec::new();
        let mut waiting = Vec::new();
        for part in parts {
            let mut tails = self.tails.iter();
            let Some(at) = tails.position(|tail| tail.seed() == part.seed) else {
                let mut known = self.known.iter();
                if known.any(|known| known.seed == part.seed && !Self::is_deleted(known)) {
                    let bytes = part.to.offset - part.from;
                    let why =
                        format!("it is not there, with {bytes} bytes that may not be delivered");
                    self.troubles.add(&part.path, &why);
                    waiting.push(part.clone());
                } else {
                    gone.push(part.clone());
                }
                continue;
            };
            if self.tails[at].is_failing || !self.is_open(at) {
                // no line of it goes before these
                self.tails[at].is_failing = true;
                waiting.push(part.clone());
                continue;
            }
            match self.tails[at].again(part, &mut framed) {
                Ok(true) => {}
                Ok(false) => gone.push(part.clone()),
                Err(error) => {
                    self.fail(at, &error);
                    waiting.push(part.clone());
                }
            }
        }
        (framed, gone, waiting)
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
        let followed = self.tails.iter().filter_map(Tail::position);
        followed.chain(self.known.iter().cloned()).collect()
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
            .filter(|tail| tail.offset() < tail.length && !tail.is_failing)
            .count();
        (bytes, done, unfinished as u64)
    }

    /// Whether another look would find no more of what was there at the start.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_moving && !self.tails.iter().any(Tail::is_left)
    }

    /// Names what is left though it could be looked for.
    pub(super) fn name_rest(&mut self) {
        for tail in self.tails.iter().filter(|tail| tail.is_left()) {
            let left = tail.length - tail.offset();
            let why = format!("it was moved meanwhile, with {left} bytes that were not delivered");
            self.troubles.add(&tail.path, &why);
        }
    }

    pub(super) fn unreadable(&self) -> Vec<Unreadable> {
        self.troubles.list()
    }

    /// What the operator may want to know, each once.
    pub(super) fn news(&mut self) -> Vec<String> {
        self.troubles.news()
    }

    fn fail(&mut self, at: usize, error: &io::Error) {
        let tail = &mut self.tails[at];
        tail.is_failing = true;
        self.troubles.add(&tail.path, &error);
    }
}
