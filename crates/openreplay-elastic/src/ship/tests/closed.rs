use std::fs::{self, File, OpenOptions};

use super::*;

#[test]
fn delivers_more_files_than_may_be_open_exactly_once() {
    let mut folder = Folder::new("*.log");
    folder.files.set_most_open(8);
    let name = |n: usize| format!("{:02}.log", n % 40);
    let mut written = 0;
    let mut taken = Vec::new();
    for round in 0..6 {
        for _ in 0..80 {
            folder.append(&name(written), &numbered([written]));
            written += 1;
        }
        match round {
            // renamed so that no pattern matches, and written to there
            1 | 4 => {
                for n in 0..40 {
                    let to = folder.path(&format!("{n:02}.old{round}"));
                    fs::rename(folder.path(&name(n)), &to).unwrap();
                    append(&to, &numbered([written]));
                    written += 1;
                }
            }
            2 => folder.restart("*.log"),
            _ => {}
        }
        folder.files.set_most_open(8);
        taken.extend(folder.take());
        assert!(
            folder.files.count_open() <= 8,
            "{}",
            folder.files.count_open()
        );
    }
    assert_eq!(numbers(taken), (0..written).collect::<Vec<_>>());
}

#[test]
fn a_file_that_was_rewritten_while_closed_is_another_file() {
    let mut folder = Folder::new("*.log");
    folder.files.set_most_open(1);
    for (file, anew) in [("a.log", false), ("b.log", true), ("c.log", false)] {
        folder.append(file, BANNER);
        folder.append(file, &format!("{{\"anew\":{anew}}}\n"));
    }
    assert_eq!(folder.take().len(), 6);
    File::create(folder.path("b.log")).unwrap();
    folder.append("b.log", BANNER);
    folder.append("b.log", "{\"anew\":null}\n");
    fs::remove_file(folder.path("c.log")).unwrap();
    folder.append("c.log", BANNER);
    assert_eq!(
        folder.take(),
        [BANNER.trim(), r#"{"anew":null}"#, BANNER.trim()]
    );
    assert_eq!(folder.take(), [""; 0]);
    let positions = folder.files.positions();
    let there = positions.iter().filter(|file| file.existence.is_there());
    assert_eq!(there.count(), 3);
}

#[test]
fn a_file_that_is_moved_before_it_is_read_is_not_confused_with_the_new_one() {
    let mut folder = Folder::new("*.log");
    folder.files.set_most_open(1);
    folder.append("a.log", &numbered([1]));
    folder.append("b.log", &numbered([2]));
    folder.files.scan(Mode::Follow);
    // the first file was closed to make room for the second
    fs::rename(folder.path("a.log"), folder.path("a.old")).unwrap();
    folder.append("a.log", &numbered([3]));
    let framed = folder.files.fill(1 << 20).unwrap();
    assert_eq!(framed.records, 1);
    folder.files.mark_delivered(&framed.parts);
    assert_eq!(numbers(folder.take()), [1, 3]);
}

#[test]
fn a_file_that_changed_a_moment_ago_is_checked_again() {
    let mut folder = Folder::new("*.log");
    folder.files.set_most_open(1);
    for name in ["a.log", "b.log"] {
        folder.append(name, &numbered([1]));
    }
    assert_eq!(folder.take().len(), 2);
    for name in ["a.log", "b.log"] {
        let modified = fs::metadata(folder.path(name)).unwrap().modified();
        fs::write(folder.path(name), numbered([2])).unwrap();
        let file = OpenOptions::new().append(true).open(folder.path(name));
        file.unwrap().set_modified(modified.unwrap()).unwrap();
    }
    assert_eq!(numbers(folder.take()), [2, 2]);
}

#[test]
fn closes_deleted_files() {
    let mut folder = Folder::new("*.log");
    for n in 0..5 {
        folder.append(&format!("{n}.log"), &numbered([n]));
    }
    assert_eq!(folder.take().len(), 5);
    for n in 0..5 {
        fs::remove_file(folder.path(&format!("{n}.log"))).unwrap();
    }
    assert_eq!(folder.take(), [""; 0]);
    assert_eq!(folder.files.count_open(), 0);

    // A file that is closed and then gone before it was read is reported.
    folder.files.set_most_open(1);
    folder.append("a.log", &numbered([1]));
    folder.append("b.log", &numbered([2]));
    folder.files.scan(Mode::Follow);
    fs::remove_file(folder.path("a.log")).unwrap();
    fs::remove_file(folder.path("b.log")).unwrap();
    assert_eq!(folder.take().len(), 1);
    assert_eq!(folder.files.take_messages(), [""; 0]);
    assert_eq!(folder.take(), [""; 0]);
    let messages = folder.files.take_messages();
    assert!(
        messages.len() == 1
            && messages[0].contains("the file is missing; 8 bytes were not delivered"),
        "{messages:?}"
    );
}
