//! Reads whole lines from where the last read of a file stopped.

use std::io;

use super::{Mark, Tail};
use crate::document;
use crate::envelope::LONGEST_LINE;
use crate::ship::content::{Content, Ending};
use crate::ship::identity::{Place, is_whole};
use crate::ship::lines::{Framed, LineFramer};
use crate::ship::position::{Part, Pieces};
use crate::ship::record::{LineReader, RawLine};

/// Fits into the cache of a core, so that a line is framed while it is still there.
const READ: usize = 256 * 1024;
/// How much text one call reads even if it finds no record there. Longer than [`LONGEST_LINE`].
const MOST: u64 = 32 << 20;

/// How to treat a last line without a line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ship) enum LastLine {
    /// Leave it until the rest of the line is written.
    Wait,
    /// Read the line if it is a complete JSON object.
    IfWhole,
}

/// The beginning of a line that is longer than any record. To read it again, a compressed file
/// would be decompressed from its start.
#[derive(Debug)]
pub(super) struct LongLine {
    text: Vec<u8>,
    start: u64,
}

impl LongLine {
    fn of(line: &RawLine<'_>) -> Self {
        Self {
            text: line.bytes.to_owned(),
            start: line.start,
        }
    }

    fn as_raw(&self) -> RawLine<'_> {
        RawLine {
            bytes: &self.text,
            start: self.start,
        }
    }
}

impl Tail {
    /// Reads whole lines until there is enough. Returns whether it stopped within a long line: then
    /// the next call continues to search for the line's end.
    pub(in crate::ship) fn fill(
        &mut self,
        framed: &mut Framed,
        buffer: &mut Vec<u8>,
        enough: usize,
        last: LastLine,
    ) -> io::Result<bool> {
        if self.identity.is_none() {
            return Ok(false);
        }
        let before = framed.mark();
        let searched = self.searched;
        let filled = self.read(framed, buffer, enough, last).and_then(|read| {
            let (end, pieces) = read;
            let place = Place::at(self.content()?, end, self.hash)?;
            // A compressed file is written only once.
            let is_same =
                self.is_compressed() || self.read_to.place.is_in(self.content()?, self.hash)?;
            Ok((Mark { place, pieces }, is_same))
        });
        self.has_failed &= filled.is_err();
        match filled {
            Ok((mark, true)) if self.is_before(&mark) => {
                framed.parts.push(Part {
                    seed: self.seed,
                    path: self.path.clone(),
                    from: self.read_to.place.offset,
                    to: mark.place,
                });
                self.read_to = mark;
                Ok(false)
            }
            Ok((_, true)) => Ok(self.searched > searched && self.has_more()),
            // The file was rewritten meanwhile, which the next check detects, or cannot be read.
            filled => {
                framed.truncate(before);
                self.searched = searched;
                filled.map(|_| false)
            }
        }
    }

    /// Returns whether the file is not read as far as this mark.
    fn is_before(&self, mark: &Mark) -> bool {
        mark.place.offset > self.read_to.place.offset || mark.pieces != self.read_to.pieces
    }

    /// Returns how far it read, and the beginnings of lines in pieces before that place.
    fn read(
        &mut self,
        framed: &mut Framed,
        buffer: &mut Vec<u8>,
        enough: usize,
        last: LastLine,
    ) -> io::Result<(u64, Pieces)> {
        let Mark { place, pieces } = self.read_to.clone();
        let mut framer = LineFramer::new(LineReader {
            format: self.format,
            seed: self.seed,
            pieces,
        });
        framed.add_over(&mut framer);
        let Some(mut at) = self.resume_line(framed, &mut framer)? else {
            return Ok((place.offset, framer.reader.pieces));
        };
        let mut size = READ;
        while framed.body.len() < enough && at < self.length && at - place.offset < MOST {
            let text = self.read_text(at, size, buffer)?;
            let line = RawLine {
                bytes: text,
                start: at,
            };
            let next = match framed.add_lines(text, at, &mut framer, enough) {
                0 if text.len() < size => {
                    at = self.add_last_line(line, last, framed, &mut framer);
                    break;
                }
                0 if size < LONGEST_LINE => {
                    size *= 2;
                    continue;
                }
                0 => self.add_long_line(line, framed, &mut framer)?,
                used => Some(at + used as u64),
            };
            let Some(next) = next else { break };
            at = next;
            size = READ;
        }
        if self.end == Some(at) {
            // A single run cannot wait, and an app may leave out the last line feed.
            framer.reader.pieces.end(|text| is_whole(text, 1));
            framed.add_over(&mut framer);
        }
        Ok((at, framer.reader.pieces))
    }

    /// Continues the line within which the last call stopped. Returns where to read on, or `None`
    /// if the line's end is not known yet.
    fn resume_line(
        &mut self,
        framed: &mut Framed,
        framer: &mut LineFramer,
    ) -> io::Result<Option<u64>> {
        let start = self.read_to.place.offset;
        let compressed = self.compressed.as_mut();
        let long = compressed.and_then(|compressed| compressed.long.take());
        if self.searched <= start {
            return Ok(Some(start));
        }
        let Some(end) = self.end_of_line(self.searched)? else {
            if let Some(compressed) = &mut self.compressed {
                compressed.long = long;
            }
            return Ok(None);
        };
        if let Some(line) = long {
            framed.add_line(line.as_raw(), framer);
            return Ok(Some(end));
        }
        self.searched = end - 1;
        Ok(Some(start))
    }

    /// Reads at most `size` bytes, and none after the end of the text.
    fn read_text<'b>(&self, at: u64, size: usize, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
        buffer.resize(buffer.len().max(size), 0);
        let left = usize::try_from(self.length - at).unwrap_or(usize::MAX);
        let read = self.content()?.read_at(&mut buffer[..size.min(left)], at)?;
        Ok(&buffer[..read])
    }

    /// Adds the beginning of a line that is longer than any record. Returns where the line ends, or
    /// `None` if that is not known yet.
    fn add_long_line(
        &mut self,
        line: RawLine<'_>,
        framed: &mut Framed,
        framer: &mut LineFramer,
    ) -> io::Result<Option<u64>> {
        if line.bytes[0] == 0 {
            // The NUL bytes after a truncation are skipped, however many there are.
            let nuls = (line.bytes.len() - document::without_nuls(line.bytes).len()) as u64;
            framed.nuls += nuls;
            return Ok(Some(line.start + nuls));
        }
        let end = self.end_of_line(self.searched.max(line.end()))?;
        if end.is_some() {
            framed.add_line(line, framer);
        } else if let Some(compressed) = &mut self.compressed {
            compressed.long = Some(LongLine::of(&line));
        }
        Ok(end)
    }

    /// Adds the text after the last line feed if it is a whole line. Returns where to read on.
    fn add_last_line(
        &mut self,
        line: RawLine<'_>,
        last: LastLine,
        framed: &mut Framed,
        framer: &mut LineFramer,
    ) -> u64 {
        self.find_end();
        let is_over = self.ending() == Some(&Ending::Complete) || last == LastLine::IfWhole;
        if is_over && is_whole(line.bytes, line.start) {
            framed.add_line(line, framer);
            return line.end();
        }
        self.searched = line.end();
        line.start
    }

    /// Notes where the text of a compressed file ends, if that is known by now.
    fn find_end(&mut self) {
        let ending = self.content.as_ref().and_then(Content::ending);
        if let Some(compressed) = &mut self.compressed
            && let Some((end, ending)) = ending
        {
            self.length = self.length.min(end);
            compressed.ending = Some(ending);
        }
    }

    /// Returns whether the first line has an envelope.
    pub(in crate::ship) fn is_in_envelopes(&self) -> io::Result<bool> {
        let mut head = vec![0; READ];
        let read = self.content()?.read_at(&mut head, 0)?;
        let line = head[..read].split(|byte| *byte == b'\n').next();
        Ok(line.is_some_and(|line| self.format.unwrap(line).is_some()))
    }

    /// Reads exactly these lines again. If the file no longer contains them, returns `false` and
    /// starts a new series of `_id`s for the following lines, because some of the old ones may be
    /// in use.
    pub(in crate::ship) fn reread(&mut self, part: &Part, framed: &mut Framed) -> io::Result<bool> {
        if self.length < part.to.offset || !part.to.is_in(self.content()?, self.hash)? {
            self.seed = fastrand::u64(..);
            return Ok(false);
        }
        let (read_to, length) = (self.read_to.clone(), self.length);
        let from = Place::at(self.content()?, part.from, self.hash)?;
        // Lines are delivered in file order, so the beginnings of lines before this part are those
        // in `delivered`.
        self.read_to = Mark {
            place: from,
            pieces: self.delivered.pieces.clone(),
        };
        self.searched = 0;
        self.length = part.to.offset;
        let mut buffer = Vec::new();
        while self.has_more() {
            let before = self.read_to.place;
            let is_within = self.fill(framed, &mut buffer, usize::MAX, LastLine::IfWhole)?;
            if self.read_to.place == before && !is_within {
                break;
            }
        }
        if self.read_to.place.offset < read_to.place.offset {
            self.read_to = read_to;
        }
        (self.length, self.searched) = (length, 0);
        Ok(true)
    }

    /// Returns the offset after the next line feed at or after `offset`.
    fn end_of_line(&mut self, mut offset: u64) -> io::Result<Option<u64>> {
        let mut buffer = vec![0; READ];
        let most = offset + MOST;
        while offset < self.length && offset < most {
            let left = usize::try_from(self.length - offset).unwrap_or(READ);
            let read = self
                .content()?
                .read_at(&mut buffer[..left.min(READ)], offset)?;
            if let Some(at) = memchr::memchr(b'\n', &buffer[..read]) {
                return Ok(Some(offset + at as u64 + 1));
            }
            if read == 0 {
                self.find_end();
                break;
            }
            offset += read as u64;
        }
        self.searched = offset;
        Ok(None)
    }
}
