use std::fs::{self, File};

use super::*;

#[test]
fn follows_a_renamed_file_next_to_the_new_one() {
    let mut folder = Folder::new("app.log");
    folder.append("app.log", "{\"n\":1}\n");
    assert_eq!(folder.take().len(), 1);
    fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    folder.append("app.log.1", "{\"n\":2}\n");
    folder.append("app.log", "{\"n\":3}\n");
    folder.append("app.log.1", "{\"n\":4}\n");
    let mut taken = folder.take();
    taken.sort_unstable();
    assert_eq!(taken, [r#"{"n":2}"#, r#"{"n":3}"#, r#"{"n":4}"#]);
}

#[test]
fn finds_a_file_that_was_renamed_while_no_shipper_ran() {
    let mut folder = Folder::new("app.log");
    folder.append("app.log", "{\"n\":1}\n");
    assert_eq!(folder.take().len(), 1);
    folder.append("app.log", "{\"n\":2}\n");
    fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    folder.append("app.log", "{\"n\":3}\n");
    folder.restart("app.log");
    let mut taken = folder.take();
    taken.sort_unstable();
    assert_eq!(taken, [r#"{"n":2}"#, r#"{"n":3}"#]);
    folder.restart("app.log*");
    assert_eq!(folder.take(), [""; 0]);
}

#[test]
fn a_truncated_file_is_another_file_whatever_its_new_length() {
    let mut folder = Folder::new("app.log");
    folder.append("app.log", "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!(folder.take().len(), 2);
    File::create(folder.path("app.log")).unwrap();
    folder.append("app.log", "{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n");
    assert_eq!(folder.take(), [r#"{"n":3}"#, r#"{"n":4}"#, r#"{"n":5}"#]);
    File::create(folder.path("app.log")).unwrap();
    assert_eq!(folder.take(), [""; 0]);
    folder.append("app.log", "{\"n\":6}\n");
    assert_eq!(folder.take(), [r#"{"n":6}"#]);
}

#[test]
fn a_rewritten_file_with_the_same_first_line_gets_new_ids() {
    for (name, restarts, anew) in [
        ("shorter", false, "{\"n\":3}\n"),
        ("as long", false, "{\"n\":3}\n{\"n\":4}\n"),
        ("longer", false, "{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n"),
        ("shorter, unseen", true, "{\"n\":3}\n"),
        ("as long, unseen", true, "{\"n\":3}\n{\"n\":4}\n"),
        ("longer, unseen", true, "{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n"),
    ] {
        let mut folder = Folder::new("app.log");
        folder.append("app.log", BANNER);
        folder.append("app.log", "{\"n\":1}\n{\"n\":2}\n");
        let before = folder.fill();
        folder.files.mark_delivered(&before.parts);
        File::create(folder.path("app.log")).unwrap();
        folder.append("app.log", BANNER);
        folder.append("app.log", anew);
        if restarts {
            folder.restart("app.log");
        }
        let after = documents(&folder.fill());
        let texts = after.iter().map(|(_, text)| format!("{text}\n"));
        assert_eq!(texts.collect::<String>(), [BANNER, anew].concat(), "{name}");
        for (id, _) in documents(&before) {
            assert!(after.iter().all(|(other, _)| *other != id), "{name}");
        }
    }
}

#[test]
fn reads_a_deleted_file_to_its_end() {
    let mut folder = Folder::new("*.log");
    folder.append("a.log", "{\"n\":1}\n");
    folder.files.scan(Mode::Follow);
    folder.append("a.log", "{\"n\":2}\n");
    fs::remove_file(folder.path("a.log")).unwrap();
    assert_eq!(folder.take().len(), 2);
    assert_eq!(folder.take(), [""; 0]);
    let positions = folder.files.positions();
    let left = positions.iter().map(|left| left.existence.is_deleted());
    assert_eq!(Vec::from_iter(left), [true]);
}

/// Replaces the file as rsync does, which writes a copy and renames it.
#[test]
fn continues_a_file_that_is_replaced_by_a_copy() {
    for (name, restarts, is_closed) in [
        ("open", false, false),
        ("closed", false, true),
        ("while no shipper ran", true, false),
    ] {
        let mut folder = Folder::new("*.log");
        if is_closed {
            folder.files.set_most_open(1);
            folder.append("z.log", &numbered([9]));
        }
        folder.append("app.log", BANNER);
        folder.append("app.log", &numbered([1, 2]));
        assert_eq!(folder.take().len(), 3 + usize::from(is_closed), "{name}");
        let before = folder.files.positions();
        folder.append("copy", &fs::read_to_string(folder.path("app.log")).unwrap());
        folder.append("copy", &numbered([3]));
        fs::rename(folder.path("copy"), folder.path("app.log")).unwrap();
        if restarts {
            folder.restart("*.log");
        }
        assert_eq!(numbers(folder.take()), [3], "{name}");
        folder.append("app.log", &numbered([4]));
        assert_eq!(numbers(folder.take()), [4], "{name}");
        let seeds = |positions: &[crate::ship::position::Position]| {
            let mut seeds: Vec<_> = positions.iter().map(|file| file.seed).collect();
            seeds.sort_unstable();
            seeds
        };
        assert_eq!(seeds(&folder.files.positions()), seeds(&before), "{name}");
        folder.restart("*.log");
        assert_eq!(folder.take(), [""; 0], "{name}");
    }
}

/// Files are known in the order of their random seeds, so this is repeated.
#[test]
fn continues_a_replaced_file_whose_path_led_to_another_file_before() {
    for attempt in 0..16 {
        let mut folder = Folder::new("*.log");
        let replace = |folder: &Folder, numbers: &[usize]| {
            folder.append("copy", &numbered(numbers.iter().copied()));
            fs::rename(folder.path("copy"), folder.path("app.log")).unwrap();
        };
        replace(&folder, &[1, 2]);
        assert_eq!(numbers(folder.take()), [1, 2], "{attempt}");
        replace(&folder, &[3, 4]);
        assert_eq!(numbers(folder.take()), [3, 4], "{attempt}");
        folder.take();
        replace(&folder, &[3, 4, 5]);
        folder.restart("*.log");
        assert_eq!(numbers(folder.take()), [5], "{attempt}");
    }
}

#[test]
fn delivers_a_replacement_with_other_content_from_its_start() {
    for restarts in [false, true] {
        let mut folder = Folder::new("*.log");
        folder.append("app.log", BANNER);
        assert_eq!(folder.take().len(), 1);
        folder.append("copy", BANNER);
        folder.append("copy", &numbered([1]));
        fs::rename(folder.path("copy"), folder.path("app.log")).unwrap();
        if restarts {
            folder.restart("*.log");
        }
        assert_eq!(folder.take(), [BANNER.trim(), r#"{"n":1}"#]);
    }
}
