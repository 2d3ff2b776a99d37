use std::fs::File;
use std::io;

use super::Content;

/// The text of a file, from start to end.
#[derive(Debug)]
pub(crate) struct Text {
    content: Content,
    offset: u64,
}

impl Text {
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) if the compression is not supported.
    pub(crate) fn of(file: File) -> io::Result<Self> {
        Ok(Self {
            content: Content::of(file)?,
            offset: 0,
        })
    }
}

/// Compressed data that is damaged or ends early is an error.
impl io::Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        let ending = self.content.ending().filter(|_| read == 0);
        match ending.and_then(|(_, ending)| ending.damage()) {
            Some((text, _)) => Err(io::Error::new(io::ErrorKind::InvalidData, text)),
            None => Ok(read),
        }
    }
}
