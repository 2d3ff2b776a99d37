//! The shipper's own files, in a folder that others may write to. No link is followed, and other
//! users cannot read the files. `openreplay-store` does the same in its `folder.rs`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a folder for these files, with its parents.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;

        builder.mode(0o700);
    }
    builder.create(path)
}

/// Creates a file that is to replace `old`. An existing file of this name is removed, not written
/// to.
pub(super) fn create_next(path: &Path, old: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create_new(path, &[old, parent(path)]),
    }
}

/// Opens a file for locking, and creates it if it is missing.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    match create_new(path, &[parent(path)]) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => return created,
    }
    let file = regular(options().write(true).open(path)?)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        // An earlier version allowed every user to open the file, and so to hold the lock.
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(file)
}

/// Reads one of these files.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = regular(options().read(true).open(path)?)?;
    io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok(bytes)
}

/// Creates a file that does not exist. If root creates it, it belongs to the owner of the first of
/// these paths that is not root's, such as a service.
fn create_new(path: &Path, like: &[&Path]) -> io::Result<File> {
    let file = options().write(true).create_new(true).open(path)?;
    give(&file, like)?;
    Ok(file)
}

/// Gives a new file to the owner of the first path that is not root's, if root created the file.
///
/// Not all systems permit that, such as a container without the capability `CHOWN`.
#[cfg(unix)]
fn give(file: &File, like: &[&Path]) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};

    if file.metadata()?.uid() != 0 {
        return Ok(());
    }
    let mut owners = like.iter().filter_map(|path| fs::metadata(path).ok());
    let Some(owner) = owners.find(|owner| owner.uid() != 0) else {
        return Ok(());
    };
    match fchown(file, Some(owner.uid()), Some(owner.gid())) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Ok(())
        }
        given => given,
    }
}

/// On Windows, a new file inherits its rights from the folder.
#[cfg(not(unix))]
fn give(_: &File, _: &[&Path]) -> io::Result<()> {
    Ok(())
}

/// Returns the folder of an absolute path.
fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ))
    }
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
