//! The files of a folder.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;
use crate::{Keys, Rights};

#[test]
fn only_their_owner_can_read_the_files_of_a_folder_that_existed_before() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    keys.create("shop", Rights::ALL).unwrap();
    let store = open(folder.path());
    write(
        &store,
        &[
            ("a", line(7, NOON, "m")),
            ("b", line(7, NOON - 100_000, "m")),
        ],
    );
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry:?}");
        names.insert(entry.file_name().into_string().unwrap());
    }
    for name in [
        "keys.json",
        "lock",
        "2026-07-01.sqlite",
        "2026-07-01.sqlite-wal",
    ] {
        assert!(names.contains(name), "{names:?}");
    }
}
