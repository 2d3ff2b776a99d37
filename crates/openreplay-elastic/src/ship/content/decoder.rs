//! Decompression in steps, without I/O.

use std::io;

use zstd::stream::raw::{self, Operation as _};

use super::gzip::Gunzip;
use super::kind::Compression;
use super::step::Step;

/// Decompresses a file, which may consist of several compressed parts.
pub(super) enum Decoder {
    Gzip(Box<Gunzip>),
    Zstd(Unzstd),
}

impl Decoder {
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Gzip => Self::Gzip(Box::default()),
            Compression::Zstd => Self::Zstd(Unzstd::new()?),
        })
    }

    /// Decompresses some of the input. If the input is corrupt, the text that was written comes
    /// from before the corruption.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Gzip(decoder) => decoder.step(input, output),
            Self::Zstd(decoder) => decoder.step(input, output),
        }
    }

    /// Returns whether a compressed part has ended and the next one has not begun.
    pub(super) fn is_between(&self) -> bool {
        match self {
            Self::Gzip(decoder) => decoder.is_between(),
            Self::Zstd(decoder) => decoder.is_between,
        }
    }
}

/// Decompresses zstd. The window is at most 128 MiB, which is the default limit of zstd's own
/// decoder.
pub(super) struct Unzstd {
    decoder: raw::Decoder<'static>,
    /// How many bytes to pass to the decoder at most. It then decodes one block at a time, so that
    /// an error does not lose the text of earlier blocks.
    wanted: usize,
    /// The decoder may hold text that it has not returned yet.
    has_more: bool,
    is_between: bool,
}

impl Unzstd {
    fn new() -> io::Result<Self> {
        Ok(Self {
            decoder: raw::Decoder::new()?,
            wanted: 1,
            has_more: false,
            is_between: false,
        })
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let input: &[u8] = if self.has_more {
            &[]
        } else {
            &input[..input.len().min(self.wanted)]
        };
        let done = match self.decoder.run_on_buffers(input, output) {
            Ok(done) => done,
            Err(error) => {
                return Step {
                    read: 0,
                    written: 0,
                    corrupt: Some(error.to_string()),
                };
            }
        };
        if done.bytes_read > 0 || done.bytes_written > 0 {
            self.is_between = done.remaining == 0;
        }
        self.has_more = done.bytes_written == output.len();
        self.wanted = done.remaining.max(1);
        Step {
            read: done.bytes_read,
            written: done.bytes_written,
            corrupt: None,
        }
    }
}
