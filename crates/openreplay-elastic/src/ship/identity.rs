use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use serde::{Deserialize, Serialize};

/// As much of a first line as tells files apart.
const HEAD: usize = 4096;

/// Which file this is, whatever it is called: an inode is used again for other files, so the first line counts too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    head: u64,
}

impl Identity {
    /// `None` as long as there is no whole first line.
    pub(super) fn of(file: &File) -> io::Result<Option<Self>> {
        let mut head = [0; HEAD];
        let mut length = 0;
        while length < HEAD {
            match file.read_at(&mut head[length..], length as u64) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let line = match memchr::memchr(b'\n', &head[..length]) {
            Some(end) => &head[..end],
            None if length == HEAD => &head[..],
            None => return Ok(None),
        };
        let metadata = file.metadata()?;
        Ok(Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            head: hash(line.iter().copied()),
        }))
    }

    pub(super) fn is_at(&self, device: u64, inode: u64) -> bool {
        (self.device, self.inode) == (device, inode)
    }

    /// All of it in one number, for the ids of the records.
    pub(super) fn number(&self) -> u64 {
        let parts = [self.device, self.inode, self.head];
        hash(parts.into_iter().flat_map(u64::to_le_bytes))
    }
}

/// FNV-1a with a last mix: the same in every version of this crate, or lines would be sent again under other ids.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}
