//! The store's folder and the files in it. Only their owner can read them, since log records can
//! contain any data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

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

/// Opens a file to read and write it, and creates it if it is missing. No link is followed: in the
/// folder of a service, root would otherwise write to whatever file the service links to.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    match create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created,
    }
    let file = options().read(true).write(true).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(irregular())
    }
}

/// Creates a file. An existing file of this name is removed, not written to.
pub(crate) fn replace(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create_new(path),
    }
}

/// Reads a file. No link is followed.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = options().read(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(irregular());
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Creates a file that does not exist. If root creates it, it belongs to the owner of the folder,
/// such as a service.
fn create_new(path: &Path) -> io::Result<File> {
    let file = options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::uid(&file.metadata()?) == 0 {
        own(&file, parent(path))?;
    }
    Ok(file)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options
}

fn irregular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
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
    match create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created.map(drop),
    }
    if fs::symlink_metadata(path)?.is_file() {
        Ok(())
    } else {
        Err(irregular())
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

/// Returns the path of a file in the folder that links lead to. The file itself can be a link.
#[cfg(unix)]
pub(crate) fn without_links(path: &Path) -> PathBuf {
    let folder = fs::canonicalize(parent(path));
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Returns the folder of a file.
pub(crate) fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
