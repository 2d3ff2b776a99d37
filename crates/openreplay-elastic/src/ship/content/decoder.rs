//! Decompression, a step at a time. No I/O.

use std::io;

use zstd::stream::raw::{self, Operation as _};

use super::gzip::Gunzip;
use super::kind::Packing;
use super::step::Step;

/// Decompresses a file, whose parts may each be compressed on their own.
pub(super) enum Decoder {
    Gzip(Box<Gunzip>),
    Zstd(Unzstd),
}

impl Decoder {
    pub(super) fn new(packing: Packing) -> io::Result<Self> {
        Ok(match packing {
            Packing::Gzip => Self::Gzip(Box::default()),
            Packing::Zstd => Self::Zstd(Unzstd::new()?),
        })
    }

    /// Takes some of the compressed bytes. What was written stands before any corrupt byte.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Gzip(decoder) => decoder.step(input, output),
            Self::Zstd(decoder) => decoder.step(input, output),
        }
    }

    /// Whether a compressed part ends here, and no further one has begun.
    pub(super) fn is_between(&self) -> bool {
        match self {
            Self::Gzip(decoder) => decoder.is_between(),
            Self::Zstd(decoder) => decoder.is_between,
        }
    }
}

/// Decompresses zstd. Its window is at most 128 MiB, which is the default of zstd's own decoder.
pub(super) struct Unzstd {
    decoder: raw::Decoder<'static>,
    /// How many bytes the decoder wants at most: it then decodes one block at a time, so that an
    /// error costs no text of the blocks before.
    wanted: usize,
    /// Text may wait in the decoder.
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
