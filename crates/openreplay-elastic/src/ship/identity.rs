use std::io;

use openreplay_record::is_object;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use super::content::Content;
use super::hash::{Hash, WINDOW};
use super::system::Seen;
use crate::document::without_mark;

/// Identifies a file, whatever its name is. The inode alone does not suffice, since it is reused
/// for other files, so the first line counts, too. The device is left out: its number may change
/// when the machine or a container restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub(super) struct Identity {
    inode: u64,
    head: u64,
}

impl Identity {
    #[cfg(test)]
    pub(super) fn new(inode: u64, head: u64) -> Self {
        Self { inode, head }
    }

    /// Returns the file's identity, or `None` as long as the file has no complete first line. A
    /// JSON object is complete without its line feed: the identity stays the same when the line
    /// feed follows. A file that was opened before a compressor wrote to it has none either: its
    /// bytes are not its text.
    ///
    /// Reads no further than the length of the file, since reading some of the system's files waits
    /// for input or takes it from another reader.
    pub(super) fn of(content: &Content, seen: &Seen, hash: Hash) -> io::Result<Option<Self>> {
        let mut head = [0; WINDOW];
        let length = if content.is_compressed() {
            WINDOW
        } else {
            usize::try_from(seen.length).map_or(WINDOW, |length| length.min(WINDOW))
        };
        let length = content.read_at(&mut head[..length], 0)?;
        let head = &head[..length];
        if content.became_compressed(head) {
            return Ok(None);
        }
        let line = match memchr::memchr(b'\n', head) {
            Some(end) => &head[..end],
            None if head.len() == WINDOW || is_whole(head, 0) => head,
            None => return Ok(None),
        };
        Ok(Some(Self {
            inode: seen.node.inode,
            head: hash.of(line.trim_ascii_end()),
        }))
    }

    /// Returns whether both files begin with the same line, whatever their inodes are.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.head == other.head
    }

    /// Returns the hash of the first line.
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    pub(super) fn inode(&self) -> u64 {
        self.inode
    }
}

/// A place in a file, with a hash of the text before it. A rewritten file has different text there,
/// though it may start with the same line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Place {
    /// At most `i64::MAX`, the length of the longest possible file.
    #[serde(deserialize_with = "offset")]
    pub(super) offset: u64,
    before: u64,
}

impl Place {
    pub(super) fn start(hash: Hash) -> Self {
        Self {
            offset: 0,
            before: hash.of(&[]),
        }
    }

    pub(super) fn at(content: &Content, offset: u64, hash: Hash) -> io::Result<Self> {
        let mut window = [0; WINDOW];
        let length = usize::try_from(offset).map_or(WINDOW, |offset| offset.min(WINDOW));
        let read = content.read_at(&mut window[..length], offset - length as u64)?;
        Ok(Self {
            offset,
            before: hash.of(&window[..read]),
        })
    }

    /// Returns whether the file has this place, with the same text before it.
    pub(super) fn is_in(&self, content: &Content, hash: Hash) -> io::Result<bool> {
        Ok(Self::at(content, self.offset, hash)? == *self)
    }
}

/// Returns where the second line of a file begins.
pub(super) fn end_of_first_line(content: &Content) -> io::Result<u64> {
    let mut head = [0; WINDOW];
    let length = content.read_at(&mut head, 0)?;
    let end = memchr::memchr(b'\n', &head[..length]).map_or(length, |end| end + 1);
    Ok(end as u64)
}

fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let offset = u64::deserialize(deserializer)?;
    match i64::try_from(offset) {
        Ok(_) => Ok(offset),
        Err(_) => Err(D::Error::custom(format_args!("an offset of {offset}"))),
    }
}

/// Returns whether a line is a complete JSON object, even without its line feed: no more of the
/// line can follow.
pub(super) fn is_whole(line: &[u8], offset: u64) -> bool {
    let object = without_mark(line, offset).trim_ascii();
    is_object(object) && serde_json::from_slice::<IgnoredAny>(object).is_ok()
}
