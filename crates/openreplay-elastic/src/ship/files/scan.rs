//! Scans for files, and finds out what happened to the files of the last scan.

use std::io;
use std::time::Instant;

use super::decide::{self, AfterScan, Unmatched};
use super::{Files, Places, QUIET};
use crate::ship::folders::{Folders, Lookup};
use crate::ship::mode::Mode;
use crate::ship::patterns::{Match, When};
use crate::ship::system::Seen;

impl Files {
    /// Opens new files, checks the files that are followed, and closes those that are finished.
    pub(in crate::ship) fn scan(&mut self, mode: Mode) {
        self.mode = mode;
        self.problems.start();
        self.before = None;
        for tail in &mut self.tails {
            tail.start_scan();
        }
        let nodes = self.tails.iter().enumerate();
        let mut places: Places = nodes.map(|(at, tail)| (tail.node(), at)).collect();
        let mut folders = Folders::default();
        let mut matching = vec![false; self.tails.len()];
        let when = When {
            mode,
            first: self.searched.is_none(),
        };
        let starts = std::mem::take(&mut self.is_moving) || when.first;
        for found in Match::all(&mut self.patterns, when, self.links, &mut self.problems) {
            if !self.except.contains(&found.path)
                && let Some(at) = self.follow(&found, starts, &mut places, &mut folders)
            {
                matching.resize(self.tails.len(), false);
                matching[at] = true;
            }
        }
        for (at, matches) in matching.iter().enumerate() {
            if !matches {
                self.look_at_unmatched(at, &mut folders);
            }
        }
        self.remember_rewritten();
        self.settle(&mut folders);
        let is_time = |searched: Instant| mode == Mode::Once || searched.elapsed() > QUIET;
        if self.searched.is_none_or(is_time) {
            self.find_known(&mut places, &mut folders);
            self.searched = Some(Instant::now());
            matching.resize(self.tails.len(), true);
        }
        self.report_damaged();
        self.let_go(&matching);
    }

    /// Returns the index of the followed file, or `None` if the file is not followed.
    fn follow(
        &mut self,
        found: &Match,
        starts: bool,
        places: &mut Places,
        folders: &mut Folders,
    ) -> Option<usize> {
        let path = &found.path;
        let seen = match Seen::at(path) {
            Ok(seen) if seen.file_type.is_file() => seen,
            Ok(_) if found.is_wanted => {
                self.problems.add(path, &"it is not a regular file");
                return None;
            }
            Ok(seen) => {
                if !seen.file_type.is_dir() {
                    self.problems.leave_out(path, "it is not a regular file");
                }
                return None;
            }
            Err(error) => {
                self.miss(found, starts, &error);
                return None;
            }
        };
        if let Some(&at) = places.get(&seen.node) {
            self.tails[at].set_name(path);
            self.look_at(at, &seen);
            return Some(at);
        }
        if !decide::is_opened(self.mode, starts, self.problems.knows(path)) {
            return None;
        }
        match self.open(path, places, folders) {
            Ok(at) => Some(at),
            Err(error) if error.kind() == io::ErrorKind::Unsupported && !found.is_wanted => {
                self.problems.leave_out(path, &error.to_string());
                None
            }
            Err(error) => {
                self.miss(found, starts, &error);
                None
            }
        }
    }

    fn miss(&mut self, found: &Match, starts: bool, error: &io::Error) {
        let path = &found.path;
        if error.kind() != io::ErrorKind::NotFound {
            self.problems.add(path, error);
        } else if self.mode == Mode::Once {
            let is_known = self.problems.knows(path);
            // Otherwise the file was moved a moment ago.
            let is_link = path.symlink_metadata().is_ok();
            self.is_moving |= starts && !is_known && !is_link;
            if found.is_wanted && (starts || is_known) {
                self.problems.add(path, &"there is no such file");
            }
        }
    }

    /// Checks a file that is still under its name.
    fn look_at(&mut self, at: usize, seen: &Seen) {
        let tail = &self.tails[at];
        if tail.is_open() {
            self.look_at_open(at);
        } else if !tail.is_unchanged(seen) {
            self.reopen(at);
        }
    }

    fn look_at_open(&mut self, at: usize) {
        if let Err(error) = self.tails[at].look() {
            self.fail(at, &error);
        }
    }

    /// Checks a file that no pattern matches any more.
    fn look_at_unmatched(&mut self, at: usize, folders: &mut Folders) {
        let tail = &self.tails[at];
        if tail.is_open() {
            // An open file needs no name.
            self.look_at_open(at);
            return;
        }
        let seen = Seen::at(&tail.path);
        let is_it = match &seen {
            Ok(seen) => Ok(seen.node == tail.node()),
            Err(error) => Err(error.kind()),
        };
        match (decide::unmatched(is_it), seen) {
            (Unmatched::IsThere, Ok(seen)) => self.look_at(at, &seen),
            (Unmatched::Fail, Err(error)) => self.fail(at, &error),
            _ => self.search(at, folders),
        }
    }

    /// Looks for a closed file in the folder where it was.
    fn search(&mut self, at: usize, folders: &mut Folders) {
        let tail = &mut self.tails[at];
        match folders.find(&tail.path, tail.node().inode) {
            Lookup::Found(path) => {
                tail.set_name(&path);
                self.reopen(at);
            }
            // A file is being moved; the next scan finds it.
            Lookup::Unknown(error) if error.kind() == io::ErrorKind::NotFound => {}
            Lookup::Unknown(error) => self.fail(at, &error),
            Lookup::Missing => self.lose(at),
        }
    }

    /// Gives up a file that the last scan did not find, either.
    fn lose(&mut self, at: usize) {
        let tail = &mut self.tails[at];
        let was_lost = tail.note_lost();
        if !was_lost {
            // A rotation may just have compressed the file; the next scan finds the copy.
            tail.wait();
            self.is_moving = true;
            return;
        }
        let left = tail.give_up();
        if left > 0 {
            let reason = format!("the file is missing; {left} bytes were not delivered");
            match self.mode {
                Mode::Once => self.problems.add_for_good(&tail.path, &reason),
                Mode::Follow => self.problems.add(&tail.path, &reason),
            }
        }
    }

    /// Stops following finished files. Remembers how far a file is delivered if it may come back.
    fn let_go(&mut self, matching: &[bool]) {
        let tails = std::mem::take(&mut self.tails);
        for (mut tail, matches) in tails.into_iter().zip(matching) {
            let is_still = tail.last_growth.elapsed() > QUIET;
            if is_still && self.mode == Mode::Follow {
                // The app stopped within a line.
                tail.end_pieces();
            }
            let has_pieces = tail.is_deleted() && tail.has_pieces();
            let has_more = tail.has_more() || has_pieces;
            match decide::after_scan(tail.state(), !matches && is_still, has_more) {
                AfterScan::Follow => self.tails.push(tail),
                AfterScan::Remember(left) => self.remember(tail.position(), left),
            }
        }
        let open = self.tails.iter().enumerate();
        let open = open.filter(|(_, tail)| tail.is_open());
        self.open = open.map(|(at, _)| at).collect();
    }
}
