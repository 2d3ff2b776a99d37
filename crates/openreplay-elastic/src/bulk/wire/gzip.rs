use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// No name, no time, no system named: RFC 1952, 2.3.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// One compressor for every body: its tables cost more to make than a small body to compress.
#[derive(Debug)]
pub(crate) struct Gzip {
    state: Compress,
    /// What the last body came to: the next will be about as long.
    length: usize,
}

impl Gzip {
    /// `level`: 1 (fast) to 9 (small).
    pub(crate) fn new(level: u32) -> Self {
        Self {
            state: Compress::new(Compression::new(level.clamp(1, 9)), false),
            length: 16 * 1024,
        }
    }

    pub(crate) fn compress(&mut self, pieces: &[Bytes]) -> Bytes {
        self.state.reset();
        let mut out = Vec::with_capacity(self.length + self.length / 4);
        let mut sum = Crc::new();
        out.extend_from_slice(&HEADER);
        for piece in pieces {
            sum.update(piece);
            self.deflate(piece, &mut out, FlushCompress::None);
        }
        self.deflate(&[], &mut out, FlushCompress::Finish);
        out.extend_from_slice(&sum.sum().to_le_bytes());
        out.extend_from_slice(&sum.amount().to_le_bytes());
        self.length = out.len();
        out.into()
    }

    fn deflate(&mut self, mut input: &[u8], out: &mut Vec<u8>, flush: FlushCompress) {
        loop {
            if out.capacity() - out.len() < 1024 {
                out.reserve(out.len() / 2 + 16 * 1024);
            }
            let before = self.state.total_in();
            // deflating fails on a wrong call only; there is room in `out` and the state is not yet
            // finished
            let status = self
                .state
                .compress_vec(input, out, flush)
                .unwrap_or(Status::StreamEnd);
            let taken = usize::try_from(self.state.total_in() - before).unwrap_or(input.len());
            input = &input[taken.min(input.len())..];
            let is_done = match flush {
                FlushCompress::None => input.is_empty(),
                _ => status == Status::StreamEnd,
            };
            if is_done {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_was_compressed_comes_back(bodies in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9_000), 0..5), 1..4)) {
            let mut gzip = Gzip::new(1);
            for body in bodies {
                let pieces: Vec<Bytes> = body.iter().cloned().map(Bytes::from).collect();
                let mut back = Vec::new();
                GzDecoder::new(&gzip.compress(&pieces)[..]).read_to_end(&mut back).unwrap();
                prop_assert_eq!(back, body.concat());
            }
        }
    }

    #[test]
    fn makes_long_texts_short() {
        let text = Bytes::from("the same again ".repeat(100_000));
        let mut gzip = Gzip::new(1);
        assert!(gzip.compress(&[text.clone(), text]).len() < 100_000);
    }
}
