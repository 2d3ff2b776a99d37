//! The text of a compressed file, read from start to end with bounded memory.

use std::fmt;
use std::fs::File;
use std::io;

use super::decoder::Decoder;
use super::kind::Compression;
use crate::ship::hash::WINDOW;
use crate::ship::system::read_at;

/// How many bytes are read and decompressed at a time.
const CHUNK: usize = 64 * 1024;

#[cfg(test)]
thread_local! {
    /// How many bytes of text the thread has decompressed.
    pub(in crate::ship) static DECOMPRESSED: std::cell::Cell<usize> =
        const { std::cell::Cell::new(0) };
}

/// Why the text ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ship) enum Ending {
    /// The compressed data is complete.
    Complete,
    /// The compressed data ends early: it is still being written, or it was cut off.
    Early,
    /// The compressed data is corrupt from here on.
    Corrupt(String),
}

impl Ending {
    /// Returns what is wrong with the compressed data, and whether that is certain: if the data
    /// ends early, the rest may still be written.
    pub(in crate::ship) fn damage(&self) -> Option<(String, bool)> {
        match self {
            Self::Complete => None,
            Self::Early => Some(("the compressed data ends early".to_owned(), false)),
            Self::Corrupt(why) => Some((format!("the compressed data is damaged: {why}"), true)),
        }
    }
}

/// A compressed file.
#[derive(Debug)]
pub(super) struct CompressedText {
    file: File,
    compression: Compression,
    decompression: Option<Decompression>,
    /// The length of the text, and why it ends there.
    ending: Option<(u64, Ending)>,
}

impl CompressedText {
    pub(super) fn new(file: File, compression: Compression) -> Self {
        Self {
            file,
            compression,
            decompression: None,
            ending: None,
        }
    }

    pub(super) fn ending(&self) -> Option<(u64, Ending)> {
        self.ending.clone()
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let decompression = self.decompression.as_ref();
        decompression.map_or(0, |decompression| decompression.text.capacity())
    }

    pub(super) fn release(&mut self) {
        self.decompression = None;
    }

    pub(super) fn grow(&mut self) {
        if let Some((_, Ending::Corrupt(_))) = self.ending {
            // The damaged part may not have been written completely yet.
            self.release();
        }
        self.ending = None;
    }

    pub(super) fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.ending.as_ref().is_some_and(|(end, _)| offset >= *end) {
            return Ok(0);
        }
        self.decompress(offset, offset + buffer.len() as u64)?;
        let Some(decompression) = &self.decompression else {
            return Ok(0);
        };
        let from = usize::try_from(offset - decompression.start).unwrap_or(usize::MAX);
        let text = decompression.text.get(from..).unwrap_or_default();
        let length = text.len().min(buffer.len());
        buffer[..length].copy_from_slice(&text[..length]);
        Ok(length)
    }

    pub(super) fn reach(&mut self, offset: u64) -> io::Result<u64> {
        self.decompress(offset, offset)?;
        let end = self.decompression.as_ref().map_or(0, Decompression::end);
        let end = self.ending.as_ref().map_or(end, |(end, _)| *end);
        Ok(offset.min(end))
    }

    /// Decompresses up to `end`. Keeps the text from `start` on, and the text before it that the
    /// hash of a place needs. If some of that text was dropped already, decompression starts again.
    fn decompress(&mut self, start: u64, end: u64) -> io::Result<()> {
        if self
            .decompression
            .as_ref()
            .is_some_and(|decompression| start < decompression.start)
        {
            self.decompression = None;
        }
        if self.decompression.is_none() {
            self.decompression = Some(Decompression::new(self.compression)?);
        }
        let Some(decompression) = &mut self.decompression else {
            return Ok(());
        };
        let keep = start.saturating_sub(WINDOW as u64);
        decompression.forget(keep);
        while decompression.end() < end {
            if let Some(ending) = decompression.read_on(&self.file)? {
                self.ending = Some((decompression.end(), ending));
                break;
            }
            decompression.forget(keep);
        }
        Ok(())
    }
}

/// A decompression in progress.
struct Decompression {
    decoder: Decoder,
    input: Box<[u8]>,
    /// The part of the input that is not decompressed yet.
    left: std::ops::Range<usize>,
    /// How many bytes of the compressed file were read.
    read: u64,
    /// A section of the text, and the offset at which it starts.
    text: Vec<u8>,
    start: u64,
}

impl fmt::Debug for Decompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompression")
            .field("read", &self.read)
            .field("start", &self.start)
            .field("text", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl Decompression {
    fn new(compression: Compression) -> io::Result<Self> {
        Ok(Self {
            decoder: Decoder::new(compression)?,
            input: vec![0; CHUNK].into(),
            left: 0..0,
            read: 0,
            text: Vec::new(),
            start: 0,
        })
    }

    /// Returns the offset after the text that was decompressed so far.
    fn end(&self) -> u64 {
        self.start + self.text.len() as u64
    }

    /// Drops the text before `before`, if that is worth moving the rest.
    fn forget(&mut self, before: u64) {
        let length = before.min(self.end()).saturating_sub(self.start);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length >= self.text.len() / 2 && length > CHUNK {
            self.text.drain(..length);
            self.text.shrink_to(4 * CHUNK);
            self.start += length as u64;
        }
    }

    /// Decompresses more text. Returns why the text ends, if it does.
    fn read_on(&mut self, file: &File) -> io::Result<Option<Ending>> {
        if self.left.is_empty() {
            let length = read_at(file, &mut self.input, self.read)?;
            self.read += length as u64;
            self.left = 0..length;
        }
        let before = self.text.len();
        self.text.resize(before + CHUNK, 0);
        let input = &self.input[self.left.clone()];
        let is_at_end = input.is_empty();
        let step = self.decoder.step(input, &mut self.text[before..]);
        self.text.truncate(before + step.written);
        #[cfg(test)]
        DECOMPRESSED.set(DECOMPRESSED.get() + step.written);
        self.left.start += step.read;
        Ok(match step.corrupt {
            Some(why) => Some(Ending::Corrupt(why)),
            None if is_at_end && step.written == 0 => Some(if self.decoder.is_between() {
                Ending::Complete
            } else {
                Ending::Early
            }),
            None => None,
        })
    }
}
