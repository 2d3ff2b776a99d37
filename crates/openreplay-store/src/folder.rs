//! The store's folder and the files in it. Only their owner can read them, since log records can
//! contain any data.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::Error;

/// Creates the folder if it is missing.
pub(crate) fn create(folder: &Path) -> Result<(), Error> {
    let missing = folder.ancestors().take_while(|part| !part.exists());
    let missing: Vec<_> = missing.collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| Error::io(folder, "created", error))?;
    for part in missing {
        // a folder above may be unreadable
        let _ = sync(parent(part));
    }
    Ok(())
}

/// Opens a file. If root creates it, it belongs to the owner of the folder, such as a service.
pub(crate) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::uid(&file.metadata()?) == 0 {
        own(&file, parent(path))?;
    }
    Ok(file)
}

/// Gives a file the owner of another one.
#[cfg(unix)]
pub(crate) fn own(file: &File, like: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let owner = fs::metadata(like)?;
    if file.metadata()?.uid() == owner.uid() {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

/// On Windows, a new file inherits its rights from the folder.
#[cfg(not(unix))]
pub(crate) fn own(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates an empty file unless it exists.
///
/// An existing file is not opened: closing it would release SQLite's locks on it.
pub(crate) fn create_file(path: &Path) -> io::Result<()> {
    match open(OpenOptions::new().write(true).create_new(true), path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// Writes the names of a folder's files to the disk, so that they outlive a power cut.
#[cfg(unix)]
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows cannot write a folder to the disk.
#[cfg(not(unix))]
pub(crate) fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns the folder of a file.
pub(crate) fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
