use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::system::Seen;

/// What the folders hold, each read once at most.
#[derive(Debug, Default)]
pub(super) struct Folders(HashMap<PathBuf, io::Result<HashMap<u64, PathBuf>>>);

/// Where a file is now.
#[derive(Debug)]
pub(super) enum Lookup {
    Found(PathBuf),
    /// Not in its folder any more.
    Nowhere,
    /// The folder cannot be read.
    Unknown(io::Error),
}

impl Folders {
    /// Looks for a file beside where it was.
    pub(super) fn find(&mut self, path: &Path, inode: u64) -> Lookup {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let files = self
            .0
            .entry(folder.to_owned())
            .or_insert_with(|| files(folder));
        match files {
            Ok(files) => match files.get(&inode) {
                Some(path) => Lookup::Found(path.clone()),
                None => Lookup::Nowhere,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Lookup::Nowhere,
            Err(error) => Lookup::Unknown(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

fn files(folder: &Path) -> io::Result<HashMap<u64, PathBuf>> {
    let mut files = HashMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(seen) = Seen::at(&entry.path())
        {
            files.insert(seen.node.inode, entry.path());
        }
    }
    Ok(files)
}
