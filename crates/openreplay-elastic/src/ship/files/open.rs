//! Not all files are open at a time.

use std::io;

use super::Files;

impl Files {
    /// Opens a file again that was closed for others, and looks at it: says whether it can be read.
    pub(super) fn is_open(&mut self, at: usize) -> bool {
        if self.tails[at].is_open() {
            return true;
        }
        self.make_room(Some(at));
        let tail = &mut self.tails[at];
        let reopened = tail.reopen().and_then(|is_it| {
            if is_it {
                tail.look()?;
            }
            Ok(is_it)
        });
        match reopened {
            Ok(true) => true,
            // it was moved, and the next look finds it
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.fail(at, &error);
                false
            }
            _ => {
                tail.is_away = true;
                false
            }
        }
    }

    /// Closes the quietest file, if there are as many open as may be; one with lines left only where all have.
    pub(super) fn make_room(&mut self, except: Option<usize>) {
        let open = self.tails.iter_mut().enumerate();
        let mut open: Vec<_> = open
            .filter(|(at, tail)| tail.is_open() && Some(*at) != except)
            .map(|(_, tail)| tail)
            .collect();
        if open.len() < self.most_open {
            return;
        }
        open.sort_unstable_by_key(|tail| (tail.gone, tail.has_more(), tail.last_growth));
        for tail in open.iter_mut().take(self.most_open / 4 + 1) {
            if !tail.gone {
                tail.close();
            }
        }
    }

    #[cfg(test)]
    pub(in crate::ship) fn set_most_open(&mut self, most: usize) {
        self.most_open = most;
    }

    /// As if nothing had happened for a long time.
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
