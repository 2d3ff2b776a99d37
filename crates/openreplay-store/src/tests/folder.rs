//! The files of a folder.

#![cfg(unix)]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use tempfile::TempDir;

use super::*;
use crate::{Keys, Rights};

#[test]
fn only_their_owner_can_read_the_files_of_a_folder_that_existed_before() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    keys.create("shop", Rights::ReadWrite).unwrap();
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

/// Links a file of a folder to a target elsewhere, and asserts that `work` leaves the target
/// unchanged.
fn assert_unchanged(folder: &Path, link: &str, text: &str, work: impl FnOnce()) {
    let elsewhere = TempDir::new().unwrap();
    let target = elsewhere.path().join("target");
    fs::write(&target, text).unwrap();
    let owner = fs::metadata(&target).unwrap().uid();
    symlink(&target, folder.join(link)).unwrap();
    work();
    assert_eq!(fs::read_to_string(&target).unwrap(), text);
    assert_eq!(fs::metadata(&target).unwrap().uid(), owner);
}

fn link_lock_of_keys(folder: &Path) {
    assert_unchanged(folder, "keys.json.lock", "text", || {
        let error = Keys::open(folder).unwrap_err();
        assert!(error.to_string().contains("keys.json.lock"), "{error}");
    });
}

fn link_keys(folder: &Path) {
    assert_unchanged(folder, "keys.json", "[]", || {
        let error = Keys::open(folder).unwrap_err();
        assert!(error.to_string().contains("keys.json"), "{error}");
    });
}

fn link_new_keys(folder: &Path) {
    assert_unchanged(folder, "keys.json.new", "text", || {
        Keys::open(folder).unwrap();
        let keys = fs::symlink_metadata(folder.join("keys.json")).unwrap();
        assert!(keys.is_file(), "{keys:?}");
    });
}

fn link_lock(folder: &Path) {
    assert_unchanged(folder, "lock", "text", || {
        let error = Store::open(folder).unwrap_err();
        assert!(error.to_string().contains("lock"), "{error}");
    });
}

/// SQLite would fill the empty file.
fn link_day(folder: &Path) {
    assert_unchanged(folder, "2026-07-01.sqlite", "", || {
        let outcomes = write(&open(folder), &[("a", line(7, NOON, "m"))]);
        let text = format!("{outcomes:?}");
        assert!(text.contains("2026-07-01.sqlite cannot be"), "{text}");
    });
}

#[test]
fn a_link_at_the_lock_of_the_keys_is_not_followed() {
    link_lock_of_keys(TempDir::new().unwrap().path());
}

#[test]
fn a_link_at_the_keys_is_not_followed() {
    link_keys(TempDir::new().unwrap().path());
}

#[test]
fn a_link_at_the_new_keys_is_replaced() {
    link_new_keys(TempDir::new().unwrap().path());
}

#[test]
fn a_link_at_the_lock_of_the_store_is_not_followed() {
    link_lock(TempDir::new().unwrap().path());
}

#[test]
fn a_link_at_a_day_is_not_followed() {
    link_day(TempDir::new().unwrap().path());
}

/// As with `sudo openreplay-elastic api-key --data` in the folder of a service.
#[test]
#[ignore = "needs root"]
fn root_gives_a_service_no_file_that_it_links_to() {
    for work in [
        link_lock_of_keys,
        link_keys,
        link_new_keys,
        link_lock,
        link_day,
    ] {
        let folder = TempDir::new().unwrap();
        chown(folder.path(), Some(61_184), Some(61_184)).unwrap();
        work(folder.path());
    }
}

/// As in the `StateDirectory` of a service with `DynamicUser`.
#[test]
fn the_folder_itself_can_be_a_link() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("link");
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink("real", &link).unwrap();
    Keys::open(&link).unwrap();
    let store = open(&link);
    write(&store, &[("a", line(7, NOON, "m"))]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_that_cannot_write_a_folder_to_the_disk_is_no_error() {
    let folder = Path::new("/proc");
    assert!(fs::File::open(folder).unwrap().sync_all().is_err());
    crate::folder::sync(folder).unwrap();
}
