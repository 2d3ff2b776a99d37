//! Lines whose pieces are in two files, because the container runtime rotated its log in between.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Files;
use crate::ship::tail::Origin;

/// Numbers from here on are dates or times.
const LEAST_DATE: u64 = 100_000;

/// The indices of files that were rotated from the same name, by that name; the oldest file comes
/// first.
pub(super) type Families = HashMap<PathBuf, Vec<usize>>;

impl Files {
    /// Prepares a file for reading: a new file takes over the incomplete lines at the end of its
    /// predecessor. Returns whether the file can be read now: a new file waits until its
    /// predecessor is read and delivered.
    pub(super) fn prepare_to_read(&mut self, at: usize, families: &mut Option<Families>) -> bool {
        let tail = &self.tails[at];
        if !tail.is_untouched() || !tail.is_in_envelopes().unwrap_or_default() {
            return true;
        }
        let families = families.get_or_insert_with(|| self.families());
        let Some(before) = self.before(at, families) else {
            return true;
        };
        let tail = &self.tails[before];
        if tail.is_failing() || tail.is_away() {
            return true;
        }
        if tail.is_in_flight() || tail.has_more() {
            return false;
        }
        if tail.is_open() {
            // The last lines may have been written after the scan that found the new file.
            if let Err(error) = self.tails[before].look() {
                self.fail(before, &error);
                return true;
            }
            if self.tails[before].has_more() {
                return false;
            }
        }
        if let Ok([tail, before]) = self.tails.get_disjoint_mut([at, before]) {
            tail.inherit(before);
        }
        true
    }

    /// Leaves out copies: they have no lines of their own, and their originals are in the family.
    fn families(&self) -> Families {
        let mut families = Families::new();
        for (at, tail) in self.tails.iter().enumerate() {
            if tail.origin() == Origin::Own {
                families.entry(unrotated(&tail.path)).or_default().push(at);
            }
        }
        for (name, family) in &mut families {
            self.sort(name, family);
        }
        families
    }

    /// Sorts a family by age. The modification time of a compressed file is that of its
    /// compression, so the names decide if any file is compressed.
    fn sort(&self, name: &Path, family: &mut [usize]) {
        let tail = |at: &usize| &self.tails[*at];
        family.sort_by_key(|at| (tail(at).path == name, tail(at).modified()));
        let rotated = family.iter().filter(|at| tail(at).path != name);
        let is_told = rotated.clone().any(|at| tail(at).is_compressed())
            && rotated.clone().all(|at| rotation(&tail(at).path).is_some());
        if is_told {
            family.sort_by_cached_key(|at| (tail(at).path == name, rotation(&tail(at).path)));
        }
    }

    /// Returns the file that was written to just before this one.
    fn before(&self, at: usize, families: &Families) -> Option<usize> {
        let name = unrotated(&self.tails[at].path);
        let earlier = families.get(&name)?.iter().copied();
        let earlier = earlier.take_while(|other| *other != at);
        earlier
            .filter(|other| self.tails[*other].path != name)
            .last()
    }
}

/// When a file was rotated, according to its name; earlier rotations are less.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rotation {
    Date(Vec<u64>),
    /// Each rotation adds one to the number, so a high number is an early rotation.
    Number(Reverse<u64>),
}

fn rotation(path: &Path) -> Option<Rotation> {
    let (_, added) = split(path.file_name()?.to_str()?);
    let groups = added.split(['.', '-']).filter(|group| !group.is_empty());
    let groups: Vec<u64> = groups
        .map(|group| group.parse().ok())
        .collect::<Option<_>>()?;
    match groups[..] {
        [] => None,
        [number] if number < LEAST_DATE => Some(Rotation::Number(Reverse(number))),
        _ => Some(Rotation::Date(groups)),
    }
}

/// Removes what a rotation adds to a path: returns `0.log` for `0.log.20260701-120000` of
/// Kubernetes, and `x-json.log` for `x-json.log.1` of Docker.
pub(super) fn unrotated(path: &Path) -> PathBuf {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) => path.with_file_name(split(name).0),
        None => path.to_owned(),
    }
}

/// Splits a name into what it was before a rotation, and what the rotation added.
fn split(name: &str) -> (&str, &str) {
    let plain = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"));
    let name = plain.unwrap_or(name);
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let added = &name[base.len()..];
    if added.starts_with(['.', '-']) && !base.is_empty() {
        (base, added)
    } else {
        (name, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_what_a_rotation_adds_to_a_name() {
        for (rotated, name) in [
            ("/pods/a/0.log.20260701-120000", "/pods/a/0.log"),
            ("/pods/a/0.log", "/pods/a/0.log"),
            ("/pods/a/1.log", "/pods/a/1.log"),
            ("/docker/x-json.log.1", "/docker/x-json.log"),
            ("/docker/x-json.log.12", "/docker/x-json.log"),
            ("/var/log/app.log-20260701", "/var/log/app.log"),
            ("/var/log/app.log.2.gz", "/var/log/app.log"),
            ("/var/log/app.log-20260701.zst", "/var/log/app.log"),
            ("/var/log/app.log.gz", "/var/log/app.log"),
            ("/var/log/app1", "/var/log/app1"),
            ("/var/log/app.12", "/var/log/app"),
            ("/var/log/2026", "/var/log/2026"),
            ("/var/log/.1", "/var/log/.1"),
        ] {
            assert_eq!(unrotated(Path::new(rotated)), Path::new(name), "{rotated}");
        }
    }

    #[test]
    fn names_tell_which_file_was_rotated_first() {
        for names in [
            ["x-json.log.10.gz", "x-json.log.2.gz", "x-json.log.1"],
            [
                "0.log.20260630-235959.gz",
                "0.log.20260701-000000.gz",
                "0.log.20260701-120000",
            ],
            [
                "app.log-20260701.gz",
                "app.log-20260701.1.gz",
                "app.log-20260702",
            ],
            [
                "app.log-2025-12-31.zst",
                "app.log-2026-01-01.zst",
                "app.log-2026-01-02",
            ],
        ] {
            let rotations = names.map(|name| rotation(Path::new(name)).unwrap());
            assert!(rotations.is_sorted(), "{names:?} {rotations:?}");
        }
        for name in ["app.log", "app.log.gz", "app1"] {
            assert_eq!(rotation(Path::new(name)), None, "{name}");
        }
    }
}
