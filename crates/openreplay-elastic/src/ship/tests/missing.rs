use std::fs;

use super::*;
use crate::ship::position::{Existence, Pieces, Position};

impl Folder {
    fn since(&self) -> Vec<bool> {
        let positions = self.files.positions().into_iter();
        positions
            .map(|position| !position.existence.is_there())
            .collect()
    }
}

#[test]
#[cfg(unix)]
fn continues_in_a_folder_that_is_mounted_later() {
    let mut folder = Folder::new("logs/*.log");
    fs::create_dir(folder.path("logs")).unwrap();
    folder.append("logs/a.log", &numbered(0..3));
    assert_eq!(folder.take().len(), 3);
    let before = folder.files.positions();
    fs::rename(folder.path("logs"), folder.path("volume")).unwrap();
    for _ in 0..2 {
        folder.restart("logs/*.log");
        assert_eq!(folder.take(), [""; 0]);
        assert_eq!(folder.since(), [true]);
    }
    append(&folder.path("volume/a.log"), &numbered(3..5));
    fs::rename(folder.path("volume"), folder.path("logs")).unwrap();
    assert_eq!(numbers(folder.take()), [3, 4]);
    assert_eq!(folder.since(), [false]);
    assert_eq!(folder.files.positions()[0].seed, before[0].seed);
}

#[test]
fn continues_a_file_that_is_moved_away_and_back() {
    for (name, restarts, closed) in [
        ("restarted", true, false),
        ("open", false, false),
        ("closed", false, true),
    ] {
        let mut folder = Folder::new("*.log");
        fs::create_dir(folder.path("elsewhere")).unwrap();
        folder.append("a.log", &numbered(0..3));
        assert_eq!(folder.take().len(), 3);
        if closed {
            folder.files.set_most_open(1);
            folder.append("b.log", &numbered([9]));
            folder.take();
        }
        fs::rename(folder.path("a.log"), folder.path("elsewhere/a.log")).unwrap();
        if restarts {
            folder.restart("*.log");
        }
        for _ in 0..3 {
            assert_eq!(folder.take(), [""; 0], "{name}");
            folder.files.wait_quietly();
        }
        assert!(folder.since().contains(&true), "{name}");
        append(&folder.path("elsewhere/a.log"), &numbered([3]));
        fs::rename(folder.path("elsewhere/a.log"), folder.path("a.log")).unwrap();
        assert_eq!(numbers(folder.take()), [3], "{name}");
        assert!(!folder.since().contains(&true), "{name}");
    }
}

#[test]
fn in_flight_records_of_a_missing_file_wait_for_it() {
    let mut folder = Folder::new("*.log");
    fs::create_dir(folder.path("elsewhere")).unwrap();
    folder.append("a.log", &numbered(0..3));
    let before = folder.fill();
    fs::rename(folder.path("a.log"), folder.path("elsewhere/a.log")).unwrap();
    folder.restart("*.log");
    folder.files.scan(Mode::Follow);
    let (again, gone, waiting) = reread(&mut folder.files, &before.parts);
    assert_eq!((again.records, gone, &waiting), (0, vec![], &before.parts));
    let unreadable = folder.files.unreadable();
    assert_eq!(
        unreadable[0].reason,
        "it is missing, with 24 bytes that may not have been delivered"
    );
    fs::rename(folder.path("elsewhere/a.log"), folder.path("a.log")).unwrap();
    folder.files.scan(Mode::Follow);
    let (again, ..) = reread(&mut folder.files, &waiting);
    assert_eq!(documents(&again), documents(&before));
}

#[test]
fn forgets_files_that_are_missing_for_a_month_or_too_many() {
    let mut folder = Folder::new("*.log");
    folder.append("a.log", &numbered([0]));
    folder.take();
    let position = &folder.files.positions()[0];
    fs::remove_file(folder.path("a.log")).unwrap();
    let now = jiff::Timestamp::now().as_second().cast_unsigned();
    let missing = |days: u64, seed| Position {
        seed,
        pieces: Pieces::default(),
        existence: Existence::Missing {
            since: now - days * 24 * 60 * 60,
        },
        ..position.clone()
    };
    let deleted = |minutes: u64, seed| Position {
        existence: Existence::Deleted {
            since: now - minutes * 60,
        },
        ..missing(0, seed)
    };
    let known = vec![
        missing(31, 7),
        missing(29, 8),
        deleted(61, 9),
        deleted(58, 10),
    ];
    let mut files = Files::new(&[], known, HASH).unwrap();
    files.scan(Mode::Follow);
    let left: Vec<_> = files.positions().iter().map(|left| left.seed).collect();
    assert_eq!(left, [8, 10]);

    let many = (0..2_500).map(|seed| missing(seed % 29, seed));
    let known = many.chain([deleted(0, 9_999)]).collect();
    let mut files = Files::new(&[], known, HASH).unwrap();
    files.scan(Mode::Follow);
    let left = files.positions();
    assert_eq!(left.len(), 2_000);
    // the latest files remain
    let since = |days: u64| Some(now - days * 24 * 60 * 60);
    assert!(
        left.iter()
            .all(|position| position.existence.missing_since() >= since(24))
    );
}

#[test]
fn reads_a_file_that_grows_after_a_long_time() {
    let mut folder = Folder::new("app.log");
    folder.append("app.log", &numbered([0]));
    assert_eq!(folder.take().len(), 1);
    fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    folder.files.wait_quietly();
    assert_eq!(folder.take(), [""; 0]);
    assert_eq!(folder.files.count_open(), 0);
    folder.append("app.log.1", &numbered([1]));
    folder.files.wait_quietly();
    assert_eq!(numbers(folder.take()), [1]);
}

#[test]
#[cfg(unix)]
fn in_flight_records_of_a_deleted_file_wait_for_a_day() {
    let mut folder = Folder::new("logs/*.log");
    fs::create_dir(folder.path("logs")).unwrap();
    folder.append("logs/a.log", &numbered(0..3));
    let before = folder.fill();
    let position = folder.files.positions().remove(0);
    fs::remove_file(folder.path("logs/a.log")).unwrap();
    let now = jiff::Timestamp::now().as_second().cast_unsigned();
    for (hours, is_mounted, is_over) in [(23, true, false), (25, false, false), (25, true, true)] {
        let logs = folder.path("logs");
        if is_mounted {
            fs::create_dir_all(logs).unwrap();
        } else {
            fs::remove_dir(logs).unwrap();
        }
        let missing = Position {
            pieces: Pieces::default(),
            existence: Existence::Missing {
                since: now - hours * 60 * 60,
            },
            ..position.clone()
        };
        let mut files = Files::new(&[], vec![missing], HASH).unwrap();
        files.scan(Mode::Once);
        let (again, gone, waiting) = reread(&mut files, &before.parts);
        assert_eq!(again.records, 0);
        assert_eq!(
            (gone.len(), waiting.len()),
            (is_over.into(), (!is_over).into())
        );
        assert_eq!(files.unreadable().is_empty(), is_over);
        // the file may come back
        assert_eq!(files.positions().len(), 1);
    }
}

#[test]
fn reports_a_file_that_was_moved_to_another_folder_until_a_pattern_finds_it() {
    let mut folder = Folder::new("*.log");
    fs::create_dir(folder.path("elsewhere")).unwrap();
    folder.append("a.log", &numbered([0]));
    assert_eq!(folder.take().len(), 1);
    folder.append("a.log", &numbered([1]));
    fs::rename(folder.path("a.log"), folder.path("elsewhere/a.log")).unwrap();
    folder.restart("*.log");
    assert_eq!(folder.take(), [""; 0]);
    let messages = folder.files.take_messages();
    let expected = format!(
        "{}: no longer in the folder, delivered up to byte 8; if the file was moved, pass its new path to deliver the rest",
        folder.path("a.log").display()
    );
    assert!(messages.contains(&expected), "{messages:?}");
    // It is reported only once.
    folder.restart("elsewhere/*.log");
    assert_eq!(numbers(folder.take()), [1]);
    let messages = folder.files.take_messages();
    assert!(messages.is_empty(), "{messages:?}");
}

/// A new file often gets the inode of one that was just deleted.
#[test]
#[cfg(unix)]
fn a_new_file_with_the_inode_and_the_text_of_a_deleted_one_is_delivered() {
    use std::os::unix::fs::MetadataExt as _;

    let mut folder = Folder::new("*.log");
    let inode = |folder: &Folder, name: &str| fs::metadata(folder.path(name)).unwrap().ino();
    folder.append("old.log", &numbered([1]));
    let old = inode(&folder, "old.log");
    assert_eq!(folder.take().len(), 1);
    fs::remove_file(folder.path("old.log")).unwrap();
    assert_eq!(folder.take(), [""; 0]);
    let mut names = (0..100).map(|n| format!("{n}"));
    let name = names.find(|name| {
        folder.append(name, &numbered([1]));
        inode(&folder, name) == old
    });
    let Some(name) = name else {
        panic!("no file got the inode: this file system does not reuse inodes soon");
    };
    fs::rename(folder.path(&name), folder.path("new.log")).unwrap();
    folder.restart("*.log");
    assert_eq!(numbers(folder.take()), [1]);
    assert_eq!(folder.take(), [""; 0]);
}
