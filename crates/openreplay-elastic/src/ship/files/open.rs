//! Limits the number of files that are open at a time.

use super::Files;
use crate::ship::tail::State;

impl Files {
    /// Opens a file again if it was closed to make room, and checks it. Returns whether the file
    /// can be read.
    pub(super) fn reopen(&mut self, at: usize) -> bool {
        if self.tails[at].is_open() {
            return true;
        }
        self.make_room(Some(at));
        match self.tails[at].reopen(self.links) {
            Ok(is_there) => {
                self.open.push(at);
                is_there
            }
            Err(error) => {
                self.fail(at, &error);
                false
            }
        }
    }

    /// Closes the quietest files if the limit of open files is reached. A file with unread lines is
    /// closed only if all files have some.
    pub(super) fn make_room(&mut self, except: Option<usize>) {
        #[cfg(test)]
        {
            self.steps += self.open.len();
        }
        let tails = &mut self.tails;
        self.open.retain(|at| tails[*at].is_open());
        let others = self.open.iter().filter(|at| Some(**at) != except).count();
        if others < self.most_open {
            return;
        }
        self.open.sort_unstable_by_key(|at| {
            let tail = &tails[*at];
            let is_deleted = tail.state() == State::Deleted;
            (is_deleted, tail.has_more(), tail.last_growth)
        });
        let others = self.open.iter().filter(|at| Some(**at) != except);
        for at in others.take(self.most_open / 4 + 1) {
            // A deleted file could not be opened again.
            if tails[*at].state() != State::Deleted {
                tails[*at].close();
            }
        }
    }

    #[cfg(test)]
    pub(in crate::ship) fn set_most_open(&mut self, most: usize) {
        self.most_open = most;
    }

    /// Pretends that nothing has happened for a long time.
    #[cfg(test)]
    pub(in crate::ship) fn wait_quietly(&mut self) {
        let long_ago = std::time::Instant::now().checked_sub(super::QUIET * 2);
        self.searched = long_ago;
        for tail in &mut self.tails {
            tail.last_growth = long_ago.unwrap();
        }
    }

    #[cfg(test)]
    pub(in crate::ship) fn count_open(&self) -> usize {
        self.tails.iter().filter(|tail| tail.is_open()).count()
    }
}
