//! Path patterns, and the files that they match.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use self::wildcard::Wildcard;
use super::system::{Node, Seen};
use super::trusted::Links;

mod wildcard;

/// An absolute path with `*`, `?`, `[...]` and `**`.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    /// The folder before the first wildcard.
    base: PathBuf,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Name(OsString),
    Wildcard(Wildcard),
    /// `**`: any number of folders.
    Folders,
}

/// Receives what a pattern matches, and what it excludes.
pub(super) trait Visitor {
    fn file(&mut self, path: PathBuf);
    /// Called for a folder that cannot be read.
    fn unreadable(&mut self, path: &Path, error: &io::Error);
    /// Called for a link to a folder, which is not entered.
    fn linked_folder(&mut self, path: &Path);
}

impl Glob {
    /// Parses a pattern. Returns `None` if it is invalid.
    pub(super) fn parse(pattern: &Path) -> Option<Self> {
        let mut base = PathBuf::new();
        let mut parts = Vec::new();
        for component in pattern.components() {
            match component {
                Component::Normal(name) if name == "**" => parts.push(Part::Folders),
                Component::Normal(name) if has_wildcard(name) => {
                    parts.push(Part::Wildcard(Wildcard::parse(name)?));
                }
                other if parts.is_empty() => base.push(other),
                other => parts.push(Part::Name(other.as_os_str().to_owned())),
            }
        }
        // `logs/**` matches everything below `logs`.
        if let Some(Part::Folders) = parts.last() {
            parts.push(Part::Wildcard(Wildcard::parse(OsStr::new("*"))?));
        }
        Some(Self { base, parts })
    }

    /// Finds the files that match. Each folder is entered once, whatever names lead to it.
    pub(super) fn find(&self, links: Links, found: &mut impl Visitor) {
        let mut walk = Walk {
            links,
            found,
            entered: HashSet::new(),
            pending: vec![(self.base.clone(), &self.parts[..])],
        };
        while let Some((folder, parts)) = walk.pending.pop() {
            walk.enter(folder, parts);
        }
    }
}

pub(super) fn has_wildcard(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.iter().any(|byte| b"*?[".contains(byte))
}

struct Walk<'a, F> {
    links: Links,
    found: &'a mut F,
    /// The folders that were entered, each with the number of remaining parts of the pattern.
    entered: HashSet<(Node, usize)>,
    pending: Vec<(PathBuf, &'a [Part])>,
}

impl<'a, F: Visitor> Walk<'a, F> {
    fn enter(&mut self, folder: PathBuf, parts: &'a [Part]) {
        let read = match parts {
            [] => return self.found.file(folder),
            [Part::Name(name), rest @ ..] => {
                let path = folder.join(name);
                let is_linked = !rest.is_empty() && path.is_symlink();
                match is_linked.then(|| self.links.check_folder(&path)) {
                    Some(Err(error)) => self.fail(&path, &error),
                    _ => self.pending.push((path, rest)),
                }
                return;
            }
            [Part::Folders, rest @ ..] => {
                self.pending.push((folder.clone(), rest));
                self.read(&folder, parts, |_| true)
            }
            [Part::Wildcard(wildcard), ..] => {
                self.read(&folder, parts, |name| wildcard.matches(name))
            }
        };
        if let Err(error) = read {
            self.fail(&folder, &error);
        }
    }

    fn fail(&mut self, path: &Path, error: &io::Error) {
        // A folder that was removed meanwhile is empty, and a file is not a folder.
        let is_over = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        );
        if !is_over {
            self.found.unreadable(path, error);
        }
    }

    /// Reads a folder, unless it was already read for the same part of the pattern.
    fn read(
        &mut self,
        folder: &Path,
        parts: &'a [Part],
        matches: impl Fn(&OsStr) -> bool,
    ) -> io::Result<()> {
        if !self.entered.insert((Seen::at(folder)?.node, parts.len())) {
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !matches(&entry.file_name()) {
                continue;
            }
            match parts {
                [Part::Folders, ..] if self.is_entered(&entry)? => {
                    self.pending.push((entry.path(), parts));
                }
                [Part::Wildcard(_)] => self.found.file(entry.path()),
                [Part::Wildcard(_), rest @ ..] if self.is_entered(&entry)? => {
                    self.pending.push((entry.path(), rest));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn is_entered(&mut self, entry: &fs::DirEntry) -> io::Result<bool> {
        let kind = entry.file_type()?;
        if !kind.is_symlink() {
            return Ok(kind.is_dir());
        }
        let is_folder = fs::metadata(entry.path()).is_ok_and(|to| to.is_dir());
        if is_folder && self.links == Links::Trusted {
            self.found.linked_folder(&entry.path());
        }
        Ok(is_folder && self.links == Links::All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Collected {
        files: Vec<PathBuf>,
        linked: Vec<PathBuf>,
    }

    impl Visitor for Collected {
        fn file(&mut self, path: PathBuf) {
            self.files.push(path);
        }

        fn unreadable(&mut self, path: &Path, error: &io::Error) {
            panic!("{path:?}: {error}");
        }

        fn linked_folder(&mut self, path: &Path) {
            self.linked.push(path.to_owned());
        }
    }

    fn find(folder: &Path, pattern: &str, links: Links) -> Collected {
        let mut collected = Collected::default();
        let glob = Glob::parse(&folder.join(pattern)).unwrap();
        glob.find(links, &mut collected);
        collected.files.sort_unstable();
        collected.linked.sort_unstable();
        collected
    }

    fn names(folder: &Path, paths: &[PathBuf]) -> Vec<String> {
        let names = paths.iter().map(|path| path.strip_prefix(folder).unwrap());
        names.map(|name| name.display().to_string()).collect()
    }

    #[test]
    fn finds_the_same_files_as_a_shell() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for path in ["a/x.log", "a/b/x.log", "a/b/c/x.log", "a/b/y.txt", "x.log"] {
            fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
            fs::write(folder.join(path), "").unwrap();
        }
        for (pattern, expected) in [
            ("*.log", &["x.log"][..]),
            ("*/x.log", &["a/x.log"]),
            ("a/*/?.log", &["a/b/x.log"]),
            (
                "**/x.log",
                &["a/b/c/x.log", "a/b/x.log", "a/x.log", "x.log"],
            ),
            ("a/**/c/*.log", &["a/b/c/x.log"]),
            (
                "a/b/**",
                &["a/b/c", "a/b/c/x.log", "a/b/x.log", "a/b/y.txt"],
            ),
            ("*/b/[xy].*", &["a/b/x.log", "a/b/y.txt"]),
            ("none/*", &[]),
            ("x.log/*", &[]),
        ] {
            let found = find(folder, pattern, Links::Trusted);
            let mut files = names(folder, &found.files);
            files.sort_unstable();
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(files, expected, "{pattern}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn links_to_folders_above_end_the_walk() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::create_dir(folder.join("a")).unwrap();
        fs::write(folder.join("a/x.log"), "").unwrap();
        for name in ["one", "two", "a/three"] {
            symlink(folder, folder.join(name)).unwrap();
        }
        let found = find(folder, "**/*.log", Links::Trusted);
        assert_eq!(names(folder, &found.files), ["a/x.log"]);
        assert_eq!(names(folder, &found.linked), ["a/three", "one", "two"]);
        // each folder once, under one of its names
        let found = find(folder, "**/*.log", Links::All);
        assert_eq!((found.files.len(), found.linked.len()), (1, 0));
    }
}
