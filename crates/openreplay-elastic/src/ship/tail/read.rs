//! Takes whole lines from where a file was left.

use std::io;

use super::Tail;
use crate::ship::identity::Place;
use crate::ship::identity::is_whole;
use crate::ship::lines::{Framed, LineIds};
use crate::ship::position::Part;
use crate::ship::system::read_at;

/// Fits into a core's cache: a line is read, framed and done with while it is there.
const READ: usize = 256 * 1024;
/// A longer line is no record, but the message of one.
const LONGEST: usize = 16 << 20;

impl Tail {
    /// Takes whole lines until there is enough. `whole` takes a last line without an end, if it is a JSON object.
    pub(in crate::ship) fn fill(
        &mut self,
        framed: &mut Framed,
        buffer: &mut Vec<u8>,
        enough: usize,
        whole: bool,
    ) -> io::Result<()> {
        if self.identity.is_none() {
            return Ok(());
        }
        let mark = framed.mark();
        let unfinished = self.unfinished;
        let filled = self.read(framed, buffer, enough, whole).and_then(|end| {
            Ok((
                Place::at(self.file()?, end, self.hash)?,
                self.taken.is_in(self.file()?, self.hash)?,
            ))
        });
        match filled {
            Ok((to, true)) if to.offset > self.taken.offset => {
                framed.parts.push(Part {
                    seed: self.seed,
                    path: self.path.clone(),
                    from: self.taken.offset,
                    to,
                });
                self.taken = to;
                Ok(())
            }
            Ok((_, true)) => Ok(()),
            // it was written anew meanwhile, which the next look sees, or fails
            filled => {
                framed.back_to(mark);
                self.unfinished = unfinished;
                filled.map(|_| ())
            }
        }
    }

    /// Says how far it read.
    fn read(
        &mut self,
        framed: &mut Framed,
        buffer: &mut Vec<u8>,
        enough: usize,
        whole: bool,
    ) -> io::Result<u64> {
        let mut ids = LineIds::new(self.seed);
        let mut at = self.taken.offset;
        let mut size = READ;
        if self.searched > at && self.end_of_line(self.searched)?.is_none() {
            self.unfinished = true;
            return Ok(at);
        }
        while framed.body.len() < enough && at < self.length {
            buffer.resize(buffer.len().max(size), 0);
            let left = usize::try_from(self.length - at).unwrap_or(usize::MAX);
            let wanted = size.min(left);
            let read = read_at(self.file()?, &mut buffer[..wanted], at)?;
            let text = &buffer[..read];
            let used = framed.take(text, at, &mut ids, enough);
            at += used as u64;
            if used > 0 {
                size = READ;
            } else if read == size && size < LONGEST {
                size *= 2;
            } else if read == size {
                let Some(end) = self.end_of_line(at + read as u64)? else {
                    self.unfinished = true;
                    break;
                };
                framed.line(text, at, &mut ids);
                at = end;
                size = READ;
            } else {
                let end = at + read as u64;
                if whole && is_whole(text, at) {
                    framed.line(text, at, &mut ids);
                    at = end;
                } else {
                    self.unfinished = read > 0;
                    self.searched = end;
                }
                break;
            }
        }
        Ok(at)
    }

    /// Takes just those lines again. Where they are not there any more, says so, and makes other `_id`s from here on: some of
    /// the old ones may be in use.
    pub(in crate::ship) fn again(&mut self, part: &Part, framed: &mut Framed) -> io::Result<bool> {
        if self.length < part.to.offset || !part.to.is_in(self.file()?, self.hash)? {
            self.seed = fastrand::u64(..);
            return Ok(false);
        }
        let (taken, length) = (self.taken, self.length);
        self.taken = Place::at(self.file()?, part.from, self.hash)?;
        self.searched = 0;
        self.length = part.to.offset;
        let mut buffer = Vec::new();
        while self.has_more() {
            let before = self.taken;
            self.fill(framed, &mut buffer, usize::MAX, true)?;
            if self.taken == before {
                break;
            }
        }
        (self.taken, self.length, self.unfinished) = (taken, length, false);
        Ok(true)
    }

    /// Past the next line feed, looked for from here on.
    fn end_of_line(&mut self, mut offset: u64) -> io::Result<Option<u64>> {
        let mut buffer = vec![0; READ];
        while offset < self.length {
            let left = usize::try_from(self.length - offset).unwrap_or(READ);
            let read = read_at(self.file()?, &mut buffer[..left.min(READ)], offset)?;
            if let Some(at) = memchr::memchr(b'\n', &buffer[..read]) {
                return Ok(Some(offset + at as u64 + 1));
            }
            if read == 0 {
                break;
            }
            offset += read as u64;
        }
        self.searched = offset;
        Ok(None)
    }
}
