//! Detects how a file is compressed from its first bytes, since a file name proves nothing.

use std::fs::File;
use std::io;

use crate::ship::system::read_at;

/// A supported compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Supported(Compression),
    /// The tool that compressed the file.
    Unsupported(&'static str),
}

const LONGEST: usize = 10;

impl Kind {
    /// Detects the compression of a file. Returns `None` if the file is not compressed or is still
    /// empty.
    pub(super) fn of(file: &File) -> io::Result<Option<Self>> {
        let mut head = [0; LONGEST];
        let length = read_at(file, &mut head, 0)?;
        Ok(Self::of_head(&head[..length]))
    }

    /// Detects the compression by the first bytes of a file.
    pub(super) fn of_head(head: &[u8]) -> Option<Self> {
        Self::of_bytes(&head[..head.len().min(LONGEST)])
    }

    /// The magic numbers are those of RFC 1952, RFC 8878 and the formats of bzip2, xz and lz4.
    fn of_bytes(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Supported(Compression::Gzip)),
            // The second one starts a skippable frame.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Some(Self::Supported(Compression::Zstd))
            }
            [
                b'B',
                b'Z',
                b'h',
                b'1'..=b'9',
                0x31,
                0x41,
                0x59,
                0x26,
                0x53,
                0x59,
            ] => Some(Self::Unsupported("bzip2")),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Self::Unsupported("xz")),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Unsupported("lz4")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_files_are_recognised_by_their_first_bytes() {
        let gzip = Some(Kind::Supported(Compression::Gzip));
        let zstd = Some(Kind::Supported(Compression::Zstd));
        for (head, kind) in [
            (&b"\x1f\x8b\x08\x00\x00"[..], gzip),
            (b"\x28\xb5\x2f\xfd", zstd),
            (b"\x50\x2a\x4d\x18\x04", zstd),
            (b"BZh91AY&SY", Some(Kind::Unsupported("bzip2"))),
            (b"\xfd7zXZ\x00\x00", Some(Kind::Unsupported("xz"))),
            (b"\x04\x22\x4d\x18", Some(Kind::Unsupported("lz4"))),
            (b"{\"n\":1}", None),
            (b"BZh9 is text", None),
            (b"\x1f\x8b", None),
            (b"", None),
        ] {
            assert_eq!(Kind::of_bytes(head), kind, "{head:?}");
        }
    }
}
