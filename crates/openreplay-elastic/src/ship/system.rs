//! What differs from system to system: which file this is, reading at a place, and how many files
//! may be open.

use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How many files are kept open, where the system allows twice as many.
const MAX_OPEN: usize = 256;
/// Within this time a file may change once more without looking any different.
const SETTLED: Duration = Duration::from_secs(3);

/// Which file this is, whatever it is called. A number is used again once its file is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    device: u64,
    pub(super) inode: u64,
}

/// What a look at a file tells without reading it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) node: Node,
    pub(super) file_type: FileType,
    pub(super) length: u64,
    /// It has no name any more.
    pub(super) deleted: bool,
    modified: Option<SystemTime>,
    is_settled: bool,
}

impl Seen {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        match node_at(path, &metadata)? {
            Some((node, links)) => Ok(Self::new(node, links, &metadata)),
            None => Ok(Self::new(
                Node {
                    device: 0,
                    inode: 0,
                },
                1,
                &metadata,
            )),
        }
    }

    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let (node, links) = node_of(file, &metadata)?;
        Ok(Self::new(node, links, &metadata))
    }

    fn new(node: Node, links: u64, metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        Self {
            node,
            file_type: metadata.file_type(),
            length: metadata.len(),
            deleted: links == 0,
            modified,
            is_settled: age.is_some_and(|age| age > SETTLED),
        }
    }

    /// When it was written to last.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// Whether the file has the same length and time.
    pub(super) fn is_like(&self, now: &Self) -> bool {
        (self.length, self.modified) == (now.length, now.modified)
    }

    /// Whether nothing can have happened to the file since.
    pub(super) fn is_same_as(&self, now: &Self) -> bool {
        self.is_settled
            && (self.node, self.length, self.modified) == (now.node, now.length, now.modified)
    }
}

/// Reads until the buffer is full or the file ends.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match read_some_at(file, &mut buffer[length..], offset + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(unix)]
mod own {
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use rustix::process::{Resource, getrlimit};

    use super::*;

    pub(super) fn node_at(_: &Path, metadata: &Metadata) -> io::Result<Option<(Node, u64)>> {
        Ok(Some(node(metadata)))
    }

    pub(super) fn node_of(_: &File, metadata: &Metadata) -> io::Result<(Node, u64)> {
        Ok(node(metadata))
    }

    fn node(metadata: &Metadata) -> (Node, u64) {
        let node = Node {
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        (node, metadata.nlink())
    }

    pub(super) fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }

    /// So that a rename is on disk.
    pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_data()
    }

    /// Half of what the process may have: the rest is for connections, the checkpoint and the app.
    pub(crate) fn may_be_open() -> usize {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        usize::try_from(limit / 2).map_or(MAX_OPEN, |half| half.clamp(1, MAX_OPEN))
    }
}

#[cfg(windows)]
mod own {
    use std::os::windows::fs::FileExt as _;

    use super::*;

    /// Only an open file tells; a folder cannot be opened like one.
    pub(super) fn node_at(path: &Path, metadata: &Metadata) -> io::Result<Option<(Node, u64)>> {
        if !metadata.is_file() {
            return Ok(None);
        }
        node_of(&File::open(path)?, metadata).map(Some)
    }

    pub(super) fn node_of(file: &File, _: &Metadata) -> io::Result<(Node, u64)> {
        let information = winapi_util::file::information(file)?;
        let node = Node {
            device: information.volume_serial_number(),
            inode: information.file_index(),
        };
        Ok((node, information.number_of_links()))
    }

    pub(super) fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.seek_read(buffer, offset)
    }

    /// A folder cannot be opened for that.
    pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn may_be_open() -> usize {
        MAX_OPEN
    }
}

pub(super) use own::{may_be_open, sync_folder};
use own::{node_at, node_of, read_some_at};
