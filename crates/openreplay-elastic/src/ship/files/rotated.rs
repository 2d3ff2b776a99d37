//! Lines whose pieces are in two files, because the container runtime rotated its log in between.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Files;

/// The indices of files that were rotated from the same name, by that name.
pub(super) type Families = HashMap<PathBuf, Vec<usize>>;

impl Files {
    /// Returns whether a file can be read now. A new file first takes over the incomplete lines at
    /// the end of its predecessor, and so waits until the predecessor is read and delivered.
    pub(super) fn may_read(&mut self, at: usize, families: &mut Option<Families>) -> bool {
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

    fn families(&self) -> Families {
        let mut families = Families::new();
        for (at, tail) in self.tails.iter().enumerate() {
            families.entry(unrotated(&tail.path)).or_default().push(at);
        }
        families
    }

    /// Returns the file that was written to just before this one.
    fn before(&self, at: usize, families: &Families) -> Option<usize> {
        let tail = &self.tails[at];
        let name = unrotated(&tail.path);
        let others = families.get(&name)?.iter().copied();
        let rotated = others.filter(|other| *other != at && self.tails[*other].path != name);
        let earlier = rotated.filter(|other| self.tails[*other].modified() <= tail.modified());
        earlier.max_by_key(|other| self.tails[*other].modified())
    }
}

/// Removes what a rotation adds to a path: returns `0.log` for `0.log.20260701-120000` of
/// Kubernetes, and `x-json.log` for `x-json.log.1` of Docker.
pub(super) fn unrotated(path: &Path) -> PathBuf {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return path.to_owned();
    };
    let plain = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"));
    let name = plain.unwrap_or(name);
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let is_added = name[base.len()..].starts_with(['.', '-']);
    if is_added && !base.is_empty() {
        path.with_file_name(base)
    } else {
        path.with_file_name(name)
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
}
