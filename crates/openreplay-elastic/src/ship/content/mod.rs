//! The text of a file, which may be compressed. Offsets refer to the text.

use std::cell::RefCell;
use std::fs::File;
use std::io;

use self::compressed::CompressedText;
use self::kind::Kind;
use super::system::{self, Seen};

mod compressed;
mod decoder;
mod gzip;
mod kind;
mod step;
#[cfg(test)]
pub(super) mod tests;
#[cfg(feature = "admin")]
mod text;

#[cfg(test)]
pub(super) use self::compressed::DECOMPRESSED;
pub(super) use self::compressed::Ending;
#[cfg(feature = "admin")]
pub(crate) use self::text::Text;

/// Longer than any file. The text length of a compressed file is known only once its end is read.
pub(super) const UNKNOWN: u64 = i64::MAX.cast_unsigned();

/// An open file.
#[derive(Debug)]
pub(super) struct Content {
    file: File,
    compressed: Option<RefCell<CompressedText>>,
}

impl Content {
    /// Detects compressed files by their first bytes.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) if the compression is not supported.
    pub(super) fn of(file: File) -> io::Result<Self> {
        let compressed = match Kind::of(&file)? {
            Some(Kind::Unsupported(name)) => return Err(unsupported(name)),
            Some(Kind::Supported(compression)) => Some(RefCell::new(CompressedText::new(
                file.try_clone()?,
                compression,
            ))),
            None => None,
        };
        Ok(Self { file, compressed })
    }

    /// Returns the file's metadata.
    pub(super) fn seen(&self) -> io::Result<Seen> {
        Seen::of(&self.file)
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.compressed.is_some()
    }

    /// Returns whether the file was compressed after it was opened, given its first bytes.
    pub(super) fn became_compressed(&self, head: &[u8]) -> bool {
        self.compressed.is_none() && Kind::of_head(head).is_some()
    }

    /// Reads until the buffer is full or the text ends.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.compressed {
            None => system::read_at(&self.file, buffer, offset),
            Some(compressed) => compressed.borrow_mut().read_at(buffer, offset),
        }
    }

    /// Returns `offset`, or the length of the text if that is less.
    pub(super) fn reach(&self, offset: u64) -> io::Result<u64> {
        match &self.compressed {
            None => Ok(offset.min(self.seen()?.length)),
            Some(compressed) => compressed.borrow_mut().reach(offset),
        }
    }

    /// Returns where the text of a compressed file ends, and why. Returns `None` if that is not
    /// known yet or the file is not compressed.
    pub(super) fn ending(&self) -> Option<(u64, Ending)> {
        self.compressed.as_ref()?.borrow().ending()
    }

    /// Frees the memory for decompression. The next read decompresses from the start.
    pub(super) fn release(&self) {
        if let Some(compressed) = &self.compressed {
            compressed.borrow_mut().release();
        }
    }

    /// Returns how much text is kept in memory.
    #[cfg(test)]
    fn memory(&self) -> usize {
        let compressed = self.compressed.as_ref();
        compressed.map_or(0, |compressed| compressed.borrow().memory())
    }

    /// Reads the text from the start again, because the compressed file was rewritten.
    pub(super) fn start_over(&self) {
        self.release();
        self.grow();
    }

    /// Detects the file's compression again.
    pub(super) fn redetect(&self) -> io::Result<Self> {
        Self::of(self.file.try_clone()?)
    }

    /// Continues after the end of the text, because the compressed file has grown.
    pub(super) fn grow(&self) {
        if let Some(compressed) = &self.compressed {
            compressed.borrow_mut().grow();
        }
    }
}

fn unsupported(name: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("it is compressed with {name}; gzip and zstd can be read"),
    )
}
