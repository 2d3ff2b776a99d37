use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::system::Seen;

/// The contents of folders. Each folder is read at most once.
#[derive(Debug, Default)]
pub(super) struct Folders(HashMap<PathBuf, io::Result<Folder>>);

#[derive(Debug, Default)]
struct Folder {
    /// The files by inode.
    files: HashMap<u64, PathBuf>,
    /// The error of a file whose metadata cannot be read, and which may therefore be any file.
    error: Option<io::Error>,
}

/// Where a file is now.
#[derive(Debug)]
pub(super) enum Lookup {
    Found(PathBuf),
    /// The file is no longer in its folder.
    Missing,
    /// The folder, or a file in it, cannot be read.
    Unknown(io::Error),
}

impl Folders {
    /// Looks for a file in the folder where it was.
    pub(super) fn find(&mut self, path: &Path, inode: u64) -> Lookup {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let read = self
            .0
            .entry(folder.to_owned())
            .or_insert_with(|| Folder::read(folder, Seen::at));
        match read {
            Ok(folder) => folder.find(inode),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Lookup::Missing,
            Err(error) => unknown(error),
        }
    }
}

impl Folder {
    fn read(path: &Path, look_at: impl Fn(&Path) -> io::Result<Seen>) -> io::Result<Self> {
        let mut folder = Self::default();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let seen = match entry.file_type() {
                Ok(kind) if !kind.is_file() => continue,
                Ok(_) => look_at(&entry.path()),
                Err(error) => Err(error),
            };
            match seen {
                Ok(seen) => {
                    folder.files.insert(seen.node.inode, entry.path());
                }
                Err(error) => folder.error = Some(error),
            }
        }
        Ok(folder)
    }

    fn find(&self, inode: u64) -> Lookup {
        match (self.files.get(&inode), &self.error) {
            (Some(path), _) => Lookup::Found(path.clone()),
            (None, Some(error)) => unknown(error),
            (None, None) => Lookup::Missing,
        }
    }
}

fn unknown(error: &io::Error) -> Lookup {
    Lookup::Unknown(io::Error::new(error.kind(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_metadata_may_be_any_file() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| folder.path().join(name));
        for path in &paths {
            fs::write(path, "").unwrap();
        }
        let [a, b] = paths
            .each_ref()
            .map(|path| Seen::at(path).unwrap().node.inode);
        let read = Folder::read(folder.path(), |path| {
            if path.ends_with("b") {
                Err(io::ErrorKind::PermissionDenied.into())
            } else {
                Seen::at(path)
            }
        });
        let read = read.unwrap();
        assert!(matches!(read.find(a), Lookup::Found(path) if path == paths[0]));
        assert!(matches!(read.find(b), Lookup::Unknown(_)));
        let read = Folder::read(folder.path(), Seen::at).unwrap();
        assert!(matches!(read.find(a.max(b) + 1_000_000), Lookup::Missing));
    }
}
