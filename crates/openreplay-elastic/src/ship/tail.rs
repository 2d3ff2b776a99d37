use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::checkpoint::{Part, Position};
use super::identity::Identity;
use super::lines::{Framed, LineIds};

/// Fits into a core's cache: a line is read, framed and done with while it is there.
const READ: usize = 256 * 1024;
/// A longer line is no record, but the message of one.
const LONGEST: usize = 16 << 20;

/// One file, followed under whatever name it has.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) path: PathBuf,
    file: File,
    device: u64,
    inode: u64,
    /// `None` as long as it has no whole first line.
    identity: Option<Identity>,
    /// How far it is delivered.
    pub(super) offset: u64,
    /// How far it is taken to be delivered.
    taken: u64,
    pub(super) length: u64,
    pub(super) last_growth: Instant,
    /// What is left has no line feed.
    pub(super) unfinished: bool,
    pub(super) deleted: bool,
}

impl Tail {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Self {
            path: path.to_owned(),
            identity: Identity::of(&file)?,
            file,
            device: metadata.dev(),
            inode: metadata.ino(),
            offset: 0,
            taken: 0,
            length: metadata.len(),
            last_growth: Instant::now(),
            unfinished: false,
            deleted: false,
        })
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    pub(super) fn is(&self, device: u64, inode: u64) -> bool {
        (self.device, self.inode) == (device, inode)
    }

    pub(super) fn start_at(&mut self, offset: u64) {
        self.offset = offset;
        self.taken = offset;
    }

    /// Looks how long it is, and whether it was truncated: then it is another file.
    pub(super) fn look(&mut self) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        self.deleted = metadata.nlink() == 0;
        let identity = Identity::of(&self.file)?;
        if metadata.len() < self.taken || identity != self.identity {
            self.start_at(0);
            self.length = 0;
        }
        self.identity = identity;
        if metadata.len() != self.length {
            self.last_growth = Instant::now();
            self.length = metadata.len();
            self.unfinished = false;
        }
        Ok(())
    }

    pub(super) fn position(&self) -> Option<Position> {
        Some(Position {
            identity: self.identity?,
            path: self.path.clone(),
            offset: self.offset,
        })
    }

    pub(super) fn has_more(&self) -> bool {
        self.identity.is_some() && self.taken < self.length && !self.unfinished
    }

    /// Takes whole lines until there is enough. `whole` takes a last line without an end, if it is a JSON object.
    pub(super) fn fill(
        &mut self,
        framed: &mut Framed,
        buffer: &mut Vec<u8>,
        enough: usize,
        whole: bool,
    ) -> io::Result<()> {
        let Some(identity) = self.identity else {
            return Ok(());
        };
        let mut ids = LineIds::new(&identity);
        let from = self.taken;
        buffer.resize(buffer.len().max(READ), 0);
        let mut size = READ;
        while framed.body.len() < enough && self.taken < self.length {
            buffer.resize(buffer.len().max(size), 0);
            let left = usize::try_from(self.length - self.taken).unwrap_or(usize::MAX);
            let wanted = size.min(left);
            let read = read_at(&self.file, &mut buffer[..wanted], self.taken)?;
            let text = &buffer[..read];
            let used = framed.take(text, self.taken, &mut ids, enough);
            self.taken += used as u64;
            if used > 0 {
                size = READ;
            } else if read == size && size < LONGEST {
                size *= 2;
            } else if read == size {
                let Some(end) = self.end_of_line(self.taken + read as u64)? else {
                    self.unfinished = true;
                    break;
                };
                framed.line(text, self.taken, &mut ids);
                self.taken = end;
                size = READ;
            } else {
                if whole
                    && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
                    && text.first() == Some(&b'{')
                {
                    framed.line(text, self.taken, &mut ids);
                    self.taken += read as u64;
                } else {
                    self.unfinished = read > 0;
                }
                break;
            }
        }
        if self.taken > from {
            framed.parts.push(Part {
                identity,
                path: self.path.clone(),
                from,
                to: self.taken,
            });
        }
        Ok(())
    }

    /// Takes just those lines again.
    pub(super) fn again(&self, part: &Part, framed: &mut Framed) -> io::Result<()> {
        let mut tail = Self {
            path: self.path.clone(),
            file: self.file.try_clone()?,
            taken: part.from,
            offset: part.from,
            length: part.to.min(self.length),
            ..*self
        };
        let mut buffer = Vec::new();
        loop {
            let before = tail.taken;
            tail.fill(framed, &mut buffer, usize::MAX, true)?;
            if tail.taken == before {
                return Ok(());
            }
        }
    }

    /// Says that a stretch is delivered.
    pub(super) fn done(&mut self, part: &Part) {
        self.offset = self.offset.max(part.to);
        self.taken = self.taken.max(part.to);
    }

    /// Past the next line feed.
    fn end_of_line(&self, mut offset: u64) -> io::Result<Option<u64>> {
        let mut buffer = vec![0; READ];
        loop {
            let read = read_at(&self.file, &mut buffer, offset)?;
            if let Some(at) = memchr::memchr(b'\n', &buffer[..read]) {
                return Ok(Some(offset + at as u64 + 1));
            }
            if read == 0 {
                return Ok(None);
            }
            offset += read as u64;
        }
    }
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
