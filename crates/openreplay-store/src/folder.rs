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
    match create_new(path, &[parent(path)]) {
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

/// Creates a file that is to replace `old`. An existing file of this name is removed, not written
/// to.
pub(crate) fn create_next(path: &Path, old: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create_new(path, &[old, parent(path)]),
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

/// Creates a file that does not exist. If root creates it, it belongs to the owner of the first of
/// these paths that is not root's, such as a service.
fn create_new(path: &Path, like: &[&Path]) -> io::Result<File> {
    let file = options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    give(&file, like)?;
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

/// Gives a new file to the owner of the first path that is not root's, if root created the file.
///
/// Not all systems permit that, such as a container without the capability `CHOWN`.
#[cfg(unix)]
fn give(file: &File, like: &[&Path]) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    if file.metadata()?.uid() != 0 {
        return Ok(());
    }
    let mut owners = like.iter().filter_map(|path| fs::metadata(path).ok());
    let Some(owner) = owners.find(|owner| owner.uid() != 0) else {
        return Ok(());
    };
    match fchown(file, Some(owner.uid()), Some(owner.gid())) {
        Err(error) if !is_impossible(&error) => Err(error),
        _ => Ok(()),
    }
}

/// On Windows, a new file inherits its rights from the folder.
#[cfg(not(unix))]
fn give(_: &File, _: &[&Path]) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_impossible(chown: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};

    matches!(chown.kind(), InvalidInput | PermissionDenied | Unsupported)
}

/// Creates an empty file unless it exists.
///
/// An existing file is not opened: closing it would release SQLite's locks on it.
pub(crate) fn create_file(path: &Path) -> io::Result<()> {
    match create_new(path, &[parent(path)]) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created.map(drop),
    }
    if fs::symlink_metadata(path)?.is_file() {
        Ok(())
    } else {
        Err(irregular())
    }
}

/// Writes the names of a folder's files to the disk, so that they outlive a power cut. Some file
/// systems cannot do that.
#[cfg(unix)]
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, Unsupported};

    match File::open(folder)?.sync_all() {
        Err(error) if !matches!(error.kind(), InvalidInput | Unsupported) => Err(error),
        _ => Ok(()),
    }
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
