use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::checkpoint::{Part, Position};
use super::folders::{Folders, Lookup};
use super::lines::Framed;
use super::patterns::{Match, Pattern, When};
use super::system::{Node, Seen, may_be_open};
use super::tail::Tail;
use super::unreadable::{Troubles, Unreadable};
use crate::error::Error;

mod known;
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
}

/// Where each followed file is among the others.
type Places = HashMap<Node, usize>;

impl Files {
    pub(super) fn new(patterns: &[String], known: Vec<Position>) -> Result<Self, Error> {
        let patterns = patterns.iter().map(|pattern| Pattern::parse(pattern));
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
            tails: Vec::new(),
            known,
            searched: None,
            next: 0,
            most_open: may_be_open(),
            troubles: Troubles::new(),
            except: Vec::new(),
            buffer: Vec::new(),
            once: false,
        })
    }

    /// Leaves these out, though a pattern leads to them.
    pub(super) fn except(mut self, paths: impl Into<Vec<PathBuf>>) -> Self {
        self.except = paths.into();
        self
    }

    /// Opens what is new, and lets go of what is over.
    pub(super) fn look(&mut self, once: bool) {
        self.once = once;
        self.troubles.start();
        for tail in &mut self.tails {
            tail.is_failing = false;
        }
        let nodes = self.tails.iter().enumerate();
        let mut places: Places = nodes.map(|(at, tail)| (tail.node(), at)).collect();
        let mut folders = Folders::default();
        let mut matching = vec![false; self.tails.len()];
        let when = When {
            once,
            first: self.searched.is_none(),
        };
        for found in Match::all(&mut self.patterns, when, &mut self.troubles) {
            if !self.except.contains(&found.path)
                && let Some(at) = self.follow(&found, &mut places)
            {
                matching.resize(self.tails.len(), false);
                matching[at] = true;
            }
        }
        for (at, matches) in matching.iter().enumerate() {
            if !matches {
                self.look_for(at, &mut folders);
            }
        }
        let is_time = |searched: Instant| !once && searched.elapsed() > QUIET;
        if self.searched.is_none_or(is_time) {
            self.look_for_known(&mut places, &mut folders);
            self.searched = Some(Instant::now());
            matching.resize(self.tails.len(), true);
        }
        self.let_go(&matching);
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
                if self.known.iter().any(|known| known.seed == part.seed) {
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

    pub(super) fn unreadable(&self) -> Vec<Unreadable> {
        self.troubles.list()
    }

    /// What the operator may want to know, each once.
    pub(super) fn news(&mut self) -> Vec<String> {
        self.troubles.news()
    }

    /// Gives the file's place among those that are followed; `None` where there is none.
    fn follow(&mut self, found: &Match, places: &mut Places) -> Option<usize> {
        let path = &found.path;
        let seen = match Seen::at(path) {
            Ok(seen) if seen.is_file => seen,
            Ok(_) if found.is_wanted => {
                self.troubles.add(path, &"it is no file");
                return None;
            }
            Ok(_) => return None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.troubles.add(path, &error);
                return None;
            }
        };
        if let Some(&at) = places.get(&seen.node) {
            self.tails[at].is_called(path);
            self.look_at(at, &seen);
            return Some(at);
        }
        if self.once && self.searched.is_some() {
            // it was not there at the start
            return None;
        }
        match self.open(path, places) {
            Ok(at) => Some(at),
            // it was moved just now
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.troubles.add(path, &error);
                None
            }
        }
    }

    /// Looks at a file that is under its name.
    fn look_at(&mut self, at: usize, seen: &Seen) {
        let tail = &mut self.tails[at];
        if tail.is_open() {
            if let Err(error) = tail.look() {
                self.fail(at, &error);
            }
        } else if !tail.is_as(seen) {
            self.is_open(at);
        }
    }

    /// Looks at a file that no pattern leads to any more.
    fn look_for(&mut self, at: usize, folders: &mut Folders) {
        let tail = &mut self.tails[at];
        if tail.is_open() {
            // it needs no name
            if let Err(error) = tail.look() {
                self.fail(at, &error);
            }
            return;
        }
        let node = tail.node();
        match Seen::at(&tail.path) {
            Ok(seen) if seen.node == node => self.look_at(at, &seen),
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.fail(at, &error),
            _ => match folders.find(&tail.path, node.inode) {
                Lookup::Found(path) => {
                    self.tails[at].is_called(&path);
                    self.is_open(at);
                }
                // one is being moved: the next look tells
                Lookup::Unknown(error) if error.kind() == io::ErrorKind::NotFound => {}
                Lookup::Unknown(error) => self.fail(at, &error),
                Lookup::Nowhere => {
                    let left = self.tails[at].give_up();
                    if left > 0 {
                        let why = format!("it is gone, with {left} bytes that were not delivered");
                        self.troubles.add(&self.tails[at].path, &why);
                    }
                }
            },
        }
    }

    /// Forgets what is over, but for how far it was delivered where it may come back.
    fn let_go(&mut self, matching: &[bool]) {
        let tails = std::mem::take(&mut self.tails);
        for (tail, matches) in tails.into_iter().zip(matching) {
            let is_quiet = !matches && tail.last_growth.elapsed() > QUIET;
            let is_over = tail.gone || tail.missing || is_quiet;
            if !is_over || tail.has_more() {
                self.tails.push(tail);
            } else if !tail.gone {
                self.know(tail.position(), tail.missing);
            }
        }
    }

    fn fail(&mut self, at: usize, error: &io::Error) {
        let tail = &mut self.tails[at];
        tail.is_failing = true;
        self.troubles.add(&tail.path, &error);
    }
}
