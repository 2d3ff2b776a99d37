//! Records are compressed one by one, with a dictionary trained from their own day's.

use std::fmt;
use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

/// zstd's fastest level but for the negative ones. A dictionary matters more than the level on
/// texts of this length.
const LEVEL: i32 = 1;
/// The largest dictionary. zstd's own advice is a hundredth of the samples.
const DICTIONARY_BYTES: usize = 32 * 1024;
/// With fewer samples, training fails or is of no use, unless they are long.
const LEAST_SAMPLES: usize = 200;
/// The total size from which fewer samples suffice.
const LEAST_BYTES: usize = 512 * 1024;
/// The total size of the samples that are used. More samples take longer and improve little.
const SAMPLE_BYTES: usize = 2 * 1024 * 1024;
/// A longer record has a buffer of its own.
const LONG: usize = 64 * 1024;
/// No record is longer: HTTP bodies and the buffer have lower limits.
const LONGEST: usize = 256 * 1024 * 1024;

/// Trains a dictionary; `None` where the samples are too few or have too little in common.
pub(crate) fn train<'a>(samples: impl Iterator<Item = &'a str>) -> Option<Vec<u8>> {
    let mut room = SAMPLE_BYTES;
    let samples: Vec<&str> = samples
        .map_while(|sample| {
            room = room.checked_sub(sample.len())?;
            Some(sample)
        })
        .collect();
    if samples.len() < LEAST_SAMPLES && SAMPLE_BYTES - room < LEAST_BYTES {
        return None;
    }
    zstd::dict::from_samples(&samples, DICTIONARY_BYTES).ok()
}

/// Compresses with a dictionary.
pub(crate) struct Packer {
    compressor: Compressor<'static>,
    packed: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(dictionary: &[u8]) -> io::Result<Self> {
        let mut compressor = Compressor::with_dictionary(LEVEL, dictionary)?;
        // SQLite and the file system find damage; four bytes a record are worth having
        compressor.set_parameter(CParameter::ChecksumFlag(false))?;
        // a file has one dictionary
        compressor.set_parameter(CParameter::DictIdFlag(false))?;
        Ok(Self {
            compressor,
            packed: Vec::new(),
        })
    }

    /// The compressed line; `None` where that is no shorter.
    pub(crate) fn pack(&mut self, line: &[u8]) -> Option<&[u8]> {
        self.packed.clear();
        self.packed
            .reserve(zstd::zstd_safe::compress_bound(line.len()));
        self.compressor
            .compress_to_buffer(line, &mut self.packed)
            .ok()?;
        if self.packed.capacity() > LONG {
            // don't keep the buffer of one huge record
            self.packed.shrink_to(self.packed.len());
        }
        (self.packed.len() < line.len()).then_some(&self.packed)
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

/// Decompresses with a dictionary.
pub(crate) struct Unpacker(Decompressor<'static>);

impl Unpacker {
    pub(crate) fn new(dictionary: &[u8]) -> io::Result<Self> {
        Decompressor::with_dictionary(dictionary).map(Self)
    }

    pub(crate) fn unpack(&mut self, packed: &[u8]) -> io::Result<String> {
        let bytes = self.0.decompress(packed, LONGEST)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    /// Training one takes long in a debug build.
    static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let line = |number| {
            format!(
                r#"{{"level":"info","message":"order {number} was paid","service.name":"shop"}}"#
            )
        };
        let lines: Vec<_> = (0..1_000).map(line).collect();
        train(lines.iter().map(String::as_str)).unwrap()
    });

    #[test]
    fn a_dictionary_needs_enough_samples() {
        let lines = vec!["a line"; LEAST_SAMPLES - 1];
        assert_eq!(train(lines.into_iter()), None);
    }

    #[test]
    fn a_line_that_is_too_long_to_be_a_sample_is_none() {
        let long = "x".repeat(SAMPLE_BYTES + 1);
        let mut lines = vec!["a line"; 10];
        lines.push(&long);
        assert_eq!(train(lines.into_iter()), None);
    }

    #[test]
    fn a_short_line_shrinks_by_what_it_has_in_common_with_the_others() {
        let mut packer = Packer::new(&DICTIONARY).unwrap();
        let line = r#"{"level":"info","message":"order 4711 was paid","service.name":"shop"}"#;
        let packed = packer.pack(line.as_bytes()).unwrap();
        assert!(packed.len() < line.len() / 2, "{}", packed.len());
        assert_eq!(packer.pack(b"q"), None);
    }

    #[test]
    fn fewer_samples_suffice_if_they_are_long() {
        let word = |number: usize| format!("word{} ", number * 7_919 % 1_000);
        let line = |number: usize| (number..number + 8_000).map(word).collect::<String>();
        let lines: Vec<_> = (0..20).map(line).collect();
        assert!(train(lines.iter().map(String::as_str)).is_some());
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(text in ".{0,200}") {
            let mut packer = Packer::new(&DICTIONARY).unwrap();
            let mut unpacker = Unpacker::new(&DICTIONARY).unwrap();
            let text = format!("{text}{text}{text}");
            if let Some(packed) = packer.pack(text.as_bytes()) {
                prop_assert_eq!(unpacker.unpack(packed).unwrap(), text);
            }
        }

        #[test]
        fn a_frame_without_its_end_is_an_error(text in ".{10,200}", cut: prop::sample::Index) {
            let mut packer = Packer::new(&DICTIONARY).unwrap();
            let mut unpacker = Unpacker::new(&DICTIONARY).unwrap();
            let text = format!("{text}{text}{text}");
            if let Some(packed) = packer.pack(text.as_bytes()) {
                let cut = 1 + cut.index(packed.len() - 1);
                prop_assert!(unpacker.unpack(&packed[..cut]).is_err());
            }
        }

        /// SQLite finds most damage. What it does not find must not stop the store.
        #[test]
        fn a_damaged_frame_does_not_panic(
            at: prop::sample::Index,
            bytes in prop::collection::vec(any::<u8>(), 1..20),
        ) {
            let mut packer = Packer::new(&DICTIONARY).unwrap();
            let mut unpacker = Unpacker::new(&DICTIONARY).unwrap();
            let line = r#"{"level":"info","message":"order 4711 was paid","service.name":"shop"}"#;
            let mut packed = packer.pack(line.as_bytes()).unwrap().to_vec();
            let at = at.index(packed.len());
            packed.splice(at.., bytes);
            let _ = unpacker.unpack(&packed);
        }
    }
}
