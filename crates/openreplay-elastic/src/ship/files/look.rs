//! What is there now, and what became of what was.

use std::io;
use std::time::Instant;

use super::{Files, Places, QUIET};
use crate::ship::folders::{Folders, Lookup};
use crate::ship::patterns::{Match, When};
use crate::ship::system::Seen;

impl Files {
    /// Opens what is new, and lets go of what is over.
    pub(in crate::ship) fn look(&mut self, once: bool) {
        self.once = once;
        self.troubles.start();
        for tail in &mut self.tails {
            tail.is_failing = false;
            tail.is_away = false;
        }
        let nodes = self.tails.iter().enumerate();
        let mut places: Places = nodes.map(|(at, tail)| (tail.node(), at)).collect();
        let mut folders = Folders::default();
        let mut matching = vec![false; self.tails.len()];
        let when = When {
            once,
            first: self.searched.is_none(),
        };
        let starts = std::mem::take(&mut self.is_moving) || when.first;
        for found in Match::all(&mut self.patterns, when, &mut self.troubles) {
            if !self.except.contains(&found.path)
                && let Some(at) = self.follow(&found, starts, &mut places)
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
        let is_time = |searched: Instant| once || searched.elapsed() > QUIET;
        if self.searched.is_none_or(is_time) {
            self.look_for_known(&mut places, &mut folders);
            self.searched = Some(Instant::now());
            matching.resize(self.tails.len(), true);
        }
        self.let_go(&matching);
    }

    /// Gives the file's place among those that are followed; `None` where there is none. A single run takes no files but
    /// those that are there when it starts.
    fn follow(&mut self, found: &Match, starts: bool, places: &mut Places) -> Option<usize> {
        let path = &found.path;
        let seen = match Seen::at(path) {
            Ok(seen) if seen.is_file => seen,
            Ok(_) if found.is_wanted => {
                self.troubles.add(path, &"it is no file");
                return None;
            }
            Ok(_) => return None,
            Err(error) => {
                self.miss(found, starts, &error);
                return None;
            }
        };
        if let Some(&at) = places.get(&seen.node) {
            self.tails[at].is_called(path);
            self.look_at(at, &seen);
            return Some(at);
        }
        if self.once && !starts && !self.troubles.knows(path) {
            return None;
        }
        match self.open(path, places) {
            Ok(at) => Some(at),
            Err(error) => {
                self.miss(found, starts, &error);
                None
            }
        }
    }

    fn miss(&mut self, found: &Match, starts: bool, error: &io::Error) {
        let path = &found.path;
        if error.kind() != io::ErrorKind::NotFound {
            self.troubles.add(path, error);
        } else if self.once {
            let is_known = self.troubles.knows(path);
            // else it was moved just now
            let is_link = path.symlink_metadata().is_ok();
            self.is_moving |= starts && !is_known && !is_link;
            if found.is_wanted && (starts || is_known) {
                self.troubles.add(path, &"there is no such file");
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
                        let path = &self.tails[at].path;
                        match self.once {
                            true => self.troubles.add_for_good(path, &why),
                            false => self.troubles.add(path, &why),
                        }
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
}
