//! Opens files in folders that others can write to.
//!
//! A link in such a folder could lead to any file, which a shipper that runs as root could read. So
//! a link is followed only if its owner could read the file without the link. The opened file
//! itself is checked, since a path can change between a check and the open.

use std::fs::File;
use std::io;
use std::path::Path;

/// Which links are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Links {
    /// Links of root, links of the user that this process runs as, and links whose owner also owns
    /// their target.
    #[default]
    Trusted,
    All,
}

impl Links {
    /// Opens a file for reading. Never waits for a device or a pipe.
    pub(super) fn open(self, path: &Path) -> io::Result<File> {
        let file = match self {
            Self::Trusted => own::open_trusted(path)?,
            Self::All => own::open(path)?,
        };
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(not_a_file())
        }
    }

    /// Fails if the path of a folder contains a link that is not followed.
    pub(super) fn check_folder(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Trusted => own::check_folder(path),
            Self::All => Ok(()),
        }
    }
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

#[cfg(unix)]
mod own {
    use std::ffi::{OsStr, OsString};
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::path::{Component, Path, PathBuf};

    use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat};
    use rustix::process::geteuid;

    use super::not_a_file;

    /// The limit of the kernel.
    const MAX_LINKS: usize = 40;

    /// No device becomes the terminal of this process, and no open waits for the writer of a pipe.
    const READ: OFlags = OFlags::RDONLY
        .union(OFlags::NONBLOCK)
        .union(OFlags::NOCTTY)
        .union(OFlags::CLOEXEC);

    pub(super) fn open(path: &Path) -> io::Result<File> {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags.bits().cast_signed());
        options.open(path)
    }

    pub(super) fn open_trusted(path: &Path) -> io::Result<File> {
        match open_without_links(path) {
            Some(opened) => opened,
            None => walk(path)?.open(),
        }
    }

    pub(super) fn check_folder(path: &Path) -> io::Result<()> {
        walk(path).map(|_| ())
    }

    /// Opens a path in one call if it contains no link. Returns `None` if it contains one, or if
    /// the kernel cannot tell.
    #[cfg(target_os = "linux")]
    fn open_without_links(path: &Path) -> Option<io::Result<File>> {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;

        match openat2(CWD, path, READ, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(file) => Some(Ok(file.into())),
            Err(Errno::LOOP | Errno::NOSYS | Errno::PERM | Errno::INVAL | Errno::AGAIN) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn open_without_links(_: &Path) -> Option<io::Result<File>> {
        None
    }

    /// A name in a path that was not looked up yet.
    struct Step {
        name: OsString,
        /// The untrusted link whose target is checked at this name.
        link: Option<Link>,
    }

    #[derive(Clone)]
    struct Link {
        path: PathBuf,
        owner: u32,
    }

    /// What a path leads to, in its folder.
    struct Target {
        folder: OwnedFd,
        name: OsString,
        stat: Stat,
    }

    impl Target {
        fn open(&self) -> io::Result<File> {
            if FileType::from_raw_mode(self.stat.st_mode) != FileType::RegularFile {
                return Err(not_a_file());
            }
            let file = openat(
                &self.folder,
                &self.name,
                READ | OFlags::NOFOLLOW,
                Mode::empty(),
            )?;
            let opened = fstat(&file)?;
            if (opened.st_dev, opened.st_ino) != (self.stat.st_dev, self.stat.st_ino) {
                // Treated as a moved file: the next scan finds the new one.
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "it was replaced a moment ago",
                ));
            }
            Ok(file.into())
        }
    }

    /// Follows a path name by name, and each link only if that is allowed.
    fn walk(path: &Path) -> io::Result<Target> {
        let mut walk = Walk {
            folder: root()?,
            path: PathBuf::from("/"),
            steps: Vec::new(),
            links: 0,
        };
        walk.push(&std::path::absolute(path)?, None);
        while let Some(step) = walk.steps.pop() {
            let entry = Entry::at(&walk.folder, &step.name)?;
            if let Some(link) = &step.link
                && link.owner != entry.stat.st_uid
            {
                return Err(untrusted(link, &entry.stat));
            }
            match FileType::from_raw_mode(entry.stat.st_mode) {
                FileType::Symlink => walk.follow(&step.name, &entry)?,
                _ if walk.steps.is_empty() => {
                    return Ok(Target {
                        folder: walk.folder,
                        name: step.name,
                        stat: entry.stat,
                    });
                }
                FileType::Directory => {
                    walk.path.push(&step.name);
                    walk.folder = entry.into_folder(&walk.folder, &step.name)?;
                }
                _ => return Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        Err(not_a_file())
    }

    /// How far [`walk`] has come.
    struct Walk {
        folder: OwnedFd,
        /// The path of `folder`.
        path: PathBuf,
        /// The remaining names, the next one last.
        steps: Vec<Step>,
        /// How many links were followed.
        links: usize,
    }

    impl Walk {
        fn follow(&mut self, name: &OsStr, entry: &Entry) -> io::Result<()> {
            self.links += 1;
            if self.links > MAX_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            let target = PathBuf::from(entry.target(&self.folder, name)?);
            let owner = entry.stat.st_uid;
            let is_trusted = owner == 0 || owner == geteuid().as_raw();
            let link = Link {
                path: self.path.join(name),
                owner,
            };
            if target.is_absolute() {
                self.folder = root()?;
                self.path = PathBuf::from("/");
            }
            self.push(&target, (!is_trusted).then_some(link));
            Ok(())
        }

        /// Puts the names of a path in front of the remaining names.
        fn push(&mut self, path: &Path, mut link: Option<Link>) {
            let names = path.components().filter_map(|part| match part {
                Component::Normal(name) => Some(name.to_owned()),
                Component::ParentDir => Some(OsString::from("..")),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
            });
            let mut names: Vec<_> = names.collect();
            if names.is_empty() {
                names.push(OsString::from("."));
            }
            for name in names.into_iter().rev() {
                let link = link.take();
                self.steps.push(Step { name, link });
            }
        }
    }

    fn root() -> io::Result<OwnedFd> {
        let flags = READ | OFlags::DIRECTORY;
        Ok(openat(CWD, "/", flags, Mode::empty())?)
    }

    fn untrusted(link: &Link, to: &Stat) -> io::Error {
        io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "the link {} belongs to user {}, but its target belongs to user {}; --follow-links follows it",
                link.path.display(),
                link.owner,
                to.st_uid
            ),
        )
    }

    /// A directory entry; a link is not followed.
    #[cfg(target_os = "linux")]
    struct Entry {
        entry: OwnedFd,
        stat: Stat,
    }

    #[cfg(target_os = "linux")]
    impl Entry {
        fn at(folder: &OwnedFd, name: &OsStr) -> io::Result<Self> {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let entry = openat(folder, name, flags, Mode::empty())?;
            let stat = fstat(&entry)?;
            Ok(Self { entry, stat })
        }

        /// Returns the target of this entry, even if its name belongs to another one by now.
        fn target(&self, _: &OwnedFd, _: &OsStr) -> io::Result<OsString> {
            let target = rustix::fs::readlinkat(&self.entry, "", Vec::new())?;
            Ok(OsString::from_vec(target.into_bytes()))
        }

        fn into_folder(self, _: &OwnedFd, _: &OsStr) -> io::Result<OwnedFd> {
            Ok(self.entry)
        }
    }

    /// For systems without `O_PATH`. If a link is replaced between the two calls, the owner of the
    /// earlier link counts.
    #[cfg(not(target_os = "linux"))]
    struct Entry {
        stat: Stat,
    }

    #[cfg(not(target_os = "linux"))]
    impl Entry {
        fn at(folder: &OwnedFd, name: &OsStr) -> io::Result<Self> {
            let stat = rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(Self { stat })
        }

        fn target(&self, folder: &OwnedFd, name: &OsStr) -> io::Result<OsString> {
            let target = rustix::fs::readlinkat(folder, name, Vec::new())?;
            Ok(OsString::from_vec(target.into_bytes()))
        }

        fn into_folder(self, folder: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
            let flags = READ | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            Ok(openat(folder, name, flags, Mode::empty())?)
        }
    }
}

/// Links are rare on Windows, and creating one requires a privilege.
#[cfg(windows)]
mod own {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub(super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    pub(super) use open as open_trusted;

    pub(super) fn check_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{lchown, symlink};

    use super::*;

    const OTHER: u32 = 12_345;

    #[test]
    fn follows_its_users_links() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/etc/passwd", &link).unwrap();
        Links::Trusted.open(&link).unwrap();
    }

    #[test]
    #[ignore = "needs root, to create another user's links"]
    fn a_link_is_followed_if_its_owner_could_read_the_file_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, owner) in [("of-root", 0), ("of-other", OTHER)] {
            fs::write(path(name), name).unwrap();
            lchown(path(name), Some(owner), None).unwrap();
            fs::create_dir(path(&format!("folder-{name}"))).unwrap();
            lchown(path(&format!("folder-{name}")), Some(owner), None).unwrap();
            fs::write(path(&format!("folder-{name}/file")), name).unwrap();
        }
        for (name, links, is_followed) in [
            ("root to root", &[(0, "of-root")][..], true),
            ("root to other", &[(0, "of-other")], true),
            ("other to other", &[(OTHER, "of-other")], true),
            ("other to root", &[(OTHER, "of-root")], false),
            (
                "other over root to other",
                &[(0, "of-other"), (OTHER, "1")],
                false,
            ),
            (
                "root over other to other",
                &[(OTHER, "of-other"), (0, "1")],
                true,
            ),
            (
                "root over other to root",
                &[(OTHER, "of-root"), (0, "1")],
                false,
            ),
            (
                "other over other to root",
                &[(OTHER, "of-root"), (OTHER, "1")],
                false,
            ),
            (
                "other to their folder",
                &[(OTHER, "folder-of-other/file")],
                false,
            ),
            (
                "other to a folder of root's",
                &[(OTHER, "folder-of-root/file")],
                false,
            ),
        ] {
            for (number, (owner, target)) in (1..).zip(links) {
                let link = path(&number.to_string());
                let _ = fs::remove_file(&link);
                symlink(target, &link).unwrap();
                lchown(&link, Some(*owner), None).unwrap();
            }
            let link = path(&links.len().to_string());
            let opened = Links::Trusted.open(&link);
            assert_eq!(opened.is_ok(), is_followed, "{name}: {opened:?}");
            if let Err(error) = opened {
                let text = error.to_string();
                assert!(text.contains("--follow-links"), "{name}: {text}");
            }
            Links::All.open(&link).unwrap();
        }
        for (owner, target, is_followed) in [
            (0, "folder-of-root", true),
            (OTHER, "folder-of-other", true),
            (OTHER, "folder-of-root", false),
        ] {
            let link = path("folder");
            let _ = fs::remove_file(&link);
            symlink(target, &link).unwrap();
            lchown(&link, Some(owner), None).unwrap();
            let opened = Links::Trusted.open(&link.join("file"));
            assert_eq!(opened.is_ok(), is_followed, "{target}: {opened:?}");
            assert_eq!(Links::Trusted.check_folder(&link).is_ok(), is_followed);
            assert!(Links::All.check_folder(&link).is_ok());
        }
    }

    #[test]
    fn follows_absolute_and_relative_links_like_the_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        fs::write(path("a/b/file"), "here").unwrap();
        symlink("../../a/b/../b/./file", path("a/b/relative")).unwrap();
        symlink(path("a"), path("absolute")).unwrap();
        symlink("absolute/b/relative", path("both")).unwrap();
        symlink("loop", path("loop")).unwrap();
        symlink("/", path("root")).unwrap();
        for name in [
            "a/b/relative",
            "absolute/b/file",
            "both",
            "a/../absolute/b/relative",
        ] {
            for links in [Links::Trusted, Links::All] {
                let file = links.open(&path(name)).unwrap();
                assert_eq!(io::read_to_string(file).unwrap(), "here", "{name}");
            }
        }
        for name in ["loop", "a", "root", "a/none", "a/b/file/none"] {
            Links::Trusted.open(&path(name)).unwrap_err();
        }
    }

    #[test]
    fn does_not_wait_for_pipes_and_devices() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        symlink(&pipe, folder.path().join("link")).unwrap();
        for path in [pipe, folder.path().join("link"), "/dev/null".into()] {
            for links in [Links::Trusted, Links::All] {
                let error = links.open(&path).unwrap_err();
                assert_eq!(error.to_string(), "it is not a regular file", "{path:?}");
            }
        }
    }
}
