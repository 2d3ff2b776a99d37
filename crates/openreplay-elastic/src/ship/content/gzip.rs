//! Decompresses gzip (RFC 1952), member by member.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::step::Step;

/// The longest header that is read. A header can contain a file name, a comment and extra fields,
/// but real headers are far shorter.
const LONGEST_HEADER: usize = 1 << 20;
const TRAILER: usize = 8;

/// Decompresses gzip.
pub(super) struct Gunzip {
    at: At,
    inflate: Decompress,
    sum: Crc,
    /// At least one member was read to its end.
    has_member: bool,
}

/// The position within a member, with the bytes of a header or trailer that were read so far.
enum At {
    Header(Vec<u8>),
    Text,
    Trailer(Vec<u8>),
}

impl Default for Gunzip {
    fn default() -> Self {
        Self {
            at: At::Header(Vec::new()),
            inflate: Decompress::new(false),
            sum: Crc::new(),
            has_member: false,
        }
    }
}

impl Gunzip {
    pub(super) fn is_between(&self) -> bool {
        self.has_member && matches!(&self.at, At::Header(header) if header.is_empty())
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match &mut self.at {
            At::Header(_) => self.header(input),
            At::Text => self.text(input, output),
            At::Trailer(_) => self.trailer(input),
        }
    }

    fn header(&mut self, input: &[u8]) -> Step {
        let At::Header(header) = &mut self.at else {
            return corrupt(0, 0, "");
        };
        if header.is_empty() && self.has_member && input.first() == Some(&0) {
            // Zeros that pad a tape block; gzip skips them, too.
            let zeros = input.iter().take_while(|byte| **byte == 0).count();
            return used(zeros, 0);
        }
        let before = header.len();
        header.extend_from_slice(input);
        match header_length(header) {
            Ok(Some(length)) => {
                self.at = At::Text;
                self.inflate.reset(false);
                self.sum.reset();
                used(length - before, 0)
            }
            Ok(None) if header.len() <= LONGEST_HEADER => used(input.len(), 0),
            Ok(None) => corrupt(0, 0, "the gzip header is too long"),
            Err(why) => corrupt(0, 0, why),
        }
    }

    fn text(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(input, output, FlushDecompress::None);
        let since = |now: u64, before| usize::try_from(now - before).unwrap_or_default();
        let read = since(self.inflate.total_in(), read);
        let written = since(self.inflate.total_out(), written);
        self.sum.update(&output[..written]);
        match status {
            Ok(Status::StreamEnd) => {
                self.at = At::Trailer(Vec::new());
                used(read, written)
            }
            Ok(Status::Ok | Status::BufError) => used(read, written),
            Err(_) => corrupt(read, written, "a compressed block is invalid"),
        }
    }

    fn trailer(&mut self, input: &[u8]) -> Step {
        let At::Trailer(trailer) = &mut self.at else {
            return corrupt(0, 0, "");
        };
        let read = input.len().min(TRAILER - trailer.len());
        trailer.extend_from_slice(&input[..read]);
        if let [s0, s1, s2, s3, l0, l1, l2, l3] = trailer[..] {
            let sum = u32::from_le_bytes([s0, s1, s2, s3]);
            let length = u32::from_le_bytes([l0, l1, l2, l3]);
            if (sum, length) != (self.sum.sum(), self.sum.amount()) {
                return corrupt(read, 0, "the checksum does not match");
            }
            self.at = At::Header(Vec::new());
            self.has_member = true;
        }
        used(read, 0)
    }
}

/// Returns the length of a header, or `None` if the header is incomplete.
fn header_length(header: &[u8]) -> Result<Option<usize>, &'static str> {
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    const SUM: u8 = 1 << 1;
    const RESERVED: u8 = 0b1110_0000;

    let magic = [0x1f, 0x8b, 0x08];
    if !header.iter().zip(magic).all(|(byte, magic)| *byte == magic) {
        return Err("the trailing data is not gzip");
    }
    let (Some(flags), Some(_)) = (header.get(3), header.get(9)) else {
        return Ok(None);
    };
    if flags & RESERVED != 0 {
        return Err("the gzip header is invalid");
    }
    let mut length = 10;
    if flags & EXTRA != 0 {
        let Some(extra) = header.get(length..length + 2) else {
            return Ok(None);
        };
        length += 2 + usize::from(u16::from_le_bytes([extra[0], extra[1]]));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let rest = header.get(length..).unwrap_or_default();
            let Some(end) = memchr::memchr(0, rest) else {
                return Ok(None);
            };
            length += end + 1;
        }
    }
    if flags & SUM != 0 {
        length += 2;
    }
    Ok((length <= header.len()).then_some(length))
}

fn used(read: usize, written: usize) -> Step {
    Step {
        read,
        written,
        corrupt: None,
    }
}

fn corrupt(read: usize, written: usize, why: &str) -> Step {
    Step {
        read,
        written,
        corrupt: Some(why.to_owned()),
    }
}
