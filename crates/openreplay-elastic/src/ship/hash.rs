use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

/// How many bytes of the first line are hashed to tell files apart, and how many bytes before a
/// place to recognise the place.
pub(super) const WINDOW: usize = 4096;

/// How a checkpoint hashes the lines that identify files. Each checkpoint keeps its hash function;
/// otherwise it would recognise no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub(super) enum Hash {
    /// For checkpoints that began as version 1: FNV-1a, with one round of mixing.
    Fnv1a,
    /// SipHash-2-4 with a random key for each checkpoint. The hashes reveal nothing about the
    /// lines, and nobody can write a line with the same hash as another.
    SipHash { key: [u64; 2] },
}

impl Hash {
    /// Creates a hash function with a random key.
    pub(super) fn random() -> Self {
        // The keys of `RandomState` come from the system's source of randomness.
        let random = RandomState::new();
        Self::SipHash {
            key: [random.hash_one(0), random.hash_one(1)],
        }
    }

    pub(super) fn fnv1a() -> Self {
        Self::Fnv1a
    }

    pub(super) fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Fnv1a => mixed_fnv1a(bytes),
            Self::SipHash {
                key: [first, second],
            } => {
                let mut hasher = SipHasher24::new_with_keys(first, second);
                hasher.write(bytes);
                hasher.finish()
            }
        }
    }
}

/// A fixed hash function for tests.
#[cfg(test)]
pub(super) const HASH: Hash = Hash::SipHash { key: [1, 2] };

fn mixed_fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a changed constant, every followed file would be sent again.
    #[test]
    fn hashes_are_the_same_in_every_version() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        // The second value is the example of the reference: 15 bytes from 0 (Aumasson and
        // Bernstein, SipHash, appendix A).
        let counted: Vec<u8> = (0..15).collect();
        for (hash, bytes, expected) in [
            (Hash::Fnv1a, &b""[..], 0xfdbd_f6ac_4fc5_2e7f),
            (Hash::SipHash { key }, &counted, 0xa129_ca61_49be_45e5),
            (
                Hash::Fnv1a,
                br#"{"message":"first"}"#,
                0xd65a_0ab6_ddcd_a312,
            ),
        ] {
            assert_eq!(hash.of(bytes), expected, "{hash:?} {:x}", hash.of(bytes));
        }
    }
}
