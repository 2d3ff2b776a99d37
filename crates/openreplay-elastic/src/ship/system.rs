//! Differences between operating systems: file identity, reading at an offset, and the limit of
//! open files.

use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How many files are kept open, if the system allows twice as many.
const MAX_OPEN: usize = 256;
/// Within this time, a file may change again without a visible difference in its metadata.
const SETTLED: Duration = Duration::from_secs(3);

/// Identifies a file, whatever its name is. The number is reused once the file is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    device: u64,
    pub(super) inode: u64,
}

/// The metadata of a file, without its contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) node: Node,
    pub(super) file_type: FileType,
    pub(super) length: u64,
    /// The file has no name any more.
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

    /// Returns when the file was last written to.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// Returns whether the file has the same length and modification time.
    pub(super) fn is_like(&self, now: &Self) -> bool {
        (self.length, self.modified) == (now.length, now.modified)
    }

    /// Returns whether the file cannot have changed since.
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

    /// Writes the folder to disk, so that a rename in it is durable. Some file systems cannot do
    /// that.
    pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
        use io::ErrorKind::{InvalidInput, Unsupported};

        match File::open(folder)?.sync_data() {
            Err(error) if matches!(error.kind(), InvalidInput | Unsupported) => Ok(()),
            synced => synced,
        }
    }

    /// Returns half of the limit of the process. The other half is for connections, the checkpoint
    /// and the app.
    pub(crate) fn may_be_open() -> usize {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        usize::try_from(limit / 2).map_or(MAX_OPEN, |half| half.clamp(1, MAX_OPEN))
    }
}

#[cfg(windows)]
mod own {
    use std::os::windows::fs::FileExt as _;

    use super::*;

    /// Opens the file, because only an open file has a node here; a folder cannot be opened like a
    /// file.
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

    /// Does nothing, because a folder cannot be opened for that.
    pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn may_be_open() -> usize {
        MAX_OPEN
    }
}

pub(super) use own::{may_be_open, sync_folder};
use own::{node_at, node_of, read_some_at};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_synced_is_no_error() {
        let folder = Path::new("/proc");
        assert!(File::open(folder).unwrap().sync_data().is_err());
        sync_folder(folder).unwrap();
    }
}
