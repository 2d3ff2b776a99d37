use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::checkpoint::Checkpoint;
use super::files::Files;
use super::lines::Framed;

/// What was framed: each document, after its `_id`.
fn documents(framed: &Framed) -> Vec<(String, String)> {
    let text = String::from_utf8(framed.body.clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), framed.records * 2);
    let pairs = lines.chunks(2);
    pairs
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Looks, takes all there is, and says that it is delivered.
fn take(files: &mut Files) -> Vec<String> {
    files.look(false);
    let mut taken = Vec::new();
    while let Some(framed) = files.fill(1 << 20) {
        files.done(&framed.parts);
        taken.extend(documents(&framed).into_iter().map(|(_, document)| document));
    }
    taken
}

struct Folder {
    folder: tempfile::TempDir,
    files: Files,
}

impl Folder {
    fn new(pattern: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pattern = folder.path().join(pattern).to_str().unwrap().to_owned();
        let files = Files::new(&[pattern], Vec::new()).unwrap();
        Self { folder, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        append(&self.path(name), text);
    }

    fn take(&mut self) -> Vec<String> {
        take(&mut self.files)
    }

    /// Takes all there is, on its way for now.
    fn fill(&mut self) -> Framed {
        self.files.look(false);
        self.files.fill(1 << 20).unwrap()
    }

    /// As after a crash: only what the checkpoint holds is known.
    fn restart(&mut self, pattern: &str) {
        let pattern = self.path(pattern).to_str().unwrap().to_owned();
        self.files = Files::new(&[pattern], self.files.positions()).unwrap();
    }
}

#[test]
fn a_line_counts_from_its_line_feed_on() {
    let mut folder = Folder::new("app.log");
    assert_eq!(folder.take(), [""; 0]);
    folder.append("app.log", "{\"n\":1}\n{\"n\"");
    assert_eq!(folder.take(), [r#"{"n":1}"#]);
    assert_eq!(folder.take(), [""; 0]);
    folder.append("app.log", ":2}");
    assert_eq!(folder.take(), [""; 0]);
    folder.append("app.log", "\r\n\n  \n{\"n\":3}\n");
    assert_eq!(folder.take(), [r#"{"n":2}"#, r#"{"n":3}"#]);
}

#[test]
fn a_renamed_file_is_followed_beside_the_new_one() {
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
fn a_file_that_was_renamed_while_no_one_looked_is_found_again() {
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
fn a_truncated_file_is_another_one_however_long_it_has_become() {
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

const BANNER: &str = "{\"banner\":true}\n";

#[test]
fn a_file_written_anew_with_the_same_first_line_comes_whole_under_ids_of_its_own() {
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
        folder.files.done(&before.parts);
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
fn what_was_on_its_way_from_a_file_written_anew_is_not_taken_for_what_is_there_now() {
    for anew in [
        "",
        "{\"n\":3}\n{\"n\":4}\n",
        "{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n",
    ] {
        let mut folder = Folder::new("app.log");
        folder.append("app.log", BANNER);
        folder.append("app.log", "{\"n\":1}\n{\"n\":2}\n");
        let before = folder.fill();
        File::create(folder.path("app.log")).unwrap();
        folder.append("app.log", BANNER);
        folder.append("app.log", anew);
        folder.restart("app.log");
        folder.files.look(false);
        let (again, gone, _) = folder.files.again(&before.parts);
        assert_eq!((again.records, gone), (0, before.parts.clone()));
        let after = documents(&folder.fill());
        assert_eq!(after.len(), 1 + anew.lines().count());
        for (id, _) in documents(&before) {
            assert!(after.iter().all(|(other, _)| *other != id), "{anew}");
        }
    }
}

#[test]
fn a_deleted_file_is_read_to_its_end() {
    let mut folder = Folder::new("*.log");
    folder.append("a.log", "{\"n\":1}\n");
    folder.files.look(false);
    folder.append("a.log", "{\"n\":2}\n");
    fs::remove_file(folder.path("a.log")).unwrap();
    assert_eq!(folder.take().len(), 2);
    assert_eq!(folder.take(), [""; 0]);
    assert_eq!(folder.files.positions(), []);
}

#[test]
fn what_is_no_record_becomes_the_message_of_one() {
    let mut folder = Folder::new("app.log");
    folder.append(
        "app.log",
        "thread 'main' panicked at \"x\"\n[1,2]\n{\"n\":1}\n",
    );
    fs::write(folder.path("app.log.gz"), "compressed\n").unwrap();
    folder.files.look(false);
    let framed = folder.files.fill(1 << 20).unwrap();
    assert_eq!((framed.records, framed.wrapped), (3, 2));
    let record: serde_json::Value = serde_json::from_str(&documents(&framed)[0].1).unwrap();
    assert_eq!(record["message"], "thread 'main' panicked at \"x\"");
    assert_eq!(record["level"], "info");
    assert_eq!(record["@timestamp"], record["utc_time"]);
}

#[test]
fn a_line_beyond_all_measure_is_cut_and_the_next_ones_are_whole() {
    let mut folder = Folder::new("app.log");
    let long = format!("{{\"message\":\"{}\"}}\n", "x".repeat(17 << 20));
    folder.append("app.log", "{\"n\":1}\n");
    folder.append("app.log", &long);
    folder.append("app.log", "{\"n\":2}\n");
    let taken = folder.take();
    assert_eq!(
        (taken.len(), &taken[0][..], &taken[2][..]),
        (3, r#"{"n":1}"#, r#"{"n":2}"#)
    );
    assert!(taken[1].len() < 40_000 && taken[1].contains("(cut)"));
}

#[test]
fn once_takes_a_last_line_without_an_end_only_if_it_is_whole() {
    for (last, count) in [(r#"{"n":{"m":2}}"#, 2), (r#"{"n":{"m":2}"#, 1), ("text", 1)] {
        let mut folder = Folder::new("app.log");
        folder.append("app.log", &format!("{{\"n\":1}}\n{last}"));
        folder.files.look(true);
        let framed = folder.files.fill(1 << 20).unwrap();
        assert_eq!(framed.records, count, "{last}");
    }
}

#[test]
fn sends_again_just_what_was_on_its_way_under_the_same_ids() {
    let mut folder = Folder::new("*.log");
    let lines = |from: u32| {
        (from..from + 500).fold(String::new(), |text, n| text + &format!("{{\"n\":{n}}}\n"))
    };
    folder.append("a.log", &lines(0));
    folder.append("b.log", &lines(1_000));
    folder.files.look(false);
    let mut first = folder.files.fill(40_000).unwrap();
    let rest = folder.files.fill(1 << 20).unwrap();
    assert!(first.records > 500 && rest.records > 0);
    first.parts.extend(rest.parts.clone());
    folder.append("b.log", &lines(2_000));
    folder.restart("*.log");
    folder.files.look(false);
    let (again, gone, waiting) = folder.files.again(&first.parts);
    assert!(gone.is_empty() && waiting.is_empty());
    let mut before = documents(&first);
    before.extend(documents(&rest));
    assert_eq!(documents(&again), before);
}

#[test]
fn does_not_follow_its_own_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ship.json");
    let checkpoint = Checkpoint::open(&path).unwrap();
    for path in checkpoint.own_files() {
        append(&path, "{}\n");
    }
    append(&folder.path().join("app.log"), "{\"n\":1}\n");
    let pattern = folder.path().join("*").to_str().unwrap().to_owned();
    let files = Files::new(&[pattern], Vec::new()).unwrap();
    let taken = take(&mut files.except(checkpoint.own_files()));
    assert_eq!(taken, [r#"{"n":1}"#]);
}

#[test]
fn refuses_a_pattern_that_is_none() {
    let error = Files::new(&["a[".into()], Vec::new()).unwrap_err();
    assert!(error.is_config());
    assert_eq!(
        error.to_string(),
        r#""a[" is no pattern of file names: expected one such as app.log* or app-[0-9].log"#
    );
}

fn numbered(numbers: impl IntoIterator<Item = usize>) -> String {
    let numbers = numbers.into_iter();
    numbers.fold(String::new(), |text, n| text + &format!("{{\"n\":{n}}}\n"))
}

fn numbers(mut documents: Vec<String>) -> Vec<usize> {
    let mut numbers: Vec<_> = documents
        .drain(..)
        .map(|line| line[5..line.len() - 1].parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn more_files_than_may_be_open_lose_and_double_nothing() {
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
            // renamed to where no pattern leads, and grown there
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
        assert!(folder.files.open() <= 8, "{}", folder.files.open());
    }
    assert_eq!(numbers(taken), (0..written).collect::<Vec<_>>());
}

#[test]
fn a_file_that_was_written_anew_while_it_was_closed_is_another_one() {
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
    assert_eq!(folder.files.positions().len(), 3);
}

#[test]
fn a_file_that_is_moved_between_a_look_and_reading_it_is_not_taken_for_the_new_one() {
    let mut folder = Folder::new("*.log");
    folder.files.set_most_open(1);
    folder.append("a.log", &numbered([1]));
    folder.append("b.log", &numbered([2]));
    folder.files.look(false);
    // the first one was closed for the second
    fs::rename(folder.path("a.log"), folder.path("a.old")).unwrap();
    folder.append("a.log", &numbered([3]));
    let framed = folder.files.fill(1 << 20).unwrap();
    assert_eq!(framed.records, 1);
    folder.files.done(&framed.parts);
    assert_eq!(numbers(folder.take()), [1, 3]);
}

#[test]
fn what_changed_a_moment_ago_may_have_changed_again_without_looking_different() {
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
fn what_is_gone_is_closed_and_forgotten() {
    let mut folder = Folder::new("*.log");
    for n in 0..5 {
        folder.append(&format!("{n}.log"), &numbered([n]));
    }
    assert_eq!(folder.take().len(), 5);
    for n in 0..5 {
        fs::remove_file(folder.path(&format!("{n}.log"))).unwrap();
    }
    assert_eq!(folder.take(), [""; 0]);
    assert_eq!((folder.files.open(), folder.files.positions()), (0, vec![]));

    // closed, and gone before it was read: that is said
    folder.files.set_most_open(1);
    folder.append("a.log", &numbered([1]));
    folder.append("b.log", &numbered([2]));
    folder.files.look(false);
    fs::remove_file(folder.path("a.log")).unwrap();
    fs::remove_file(folder.path("b.log")).unwrap();
    assert_eq!(folder.take().len(), 1);
    let news = folder.files.news();
    assert!(
        news.len() == 1 && news[0].contains("it is gone, with 8 bytes that were not delivered"),
        "{news:?}"
    );
}

#[test]
#[cfg(unix)]
fn one_that_cannot_be_read_holds_up_no_other_and_is_tried_again() {
    let mut folder = Folder::new("*.log");
    folder.append("b.log", &numbered([1]));
    std::os::unix::fs::symlink("a.log", folder.path("a.log")).unwrap();
    fs::create_dir(folder.path("c.log")).unwrap();
    for n in 0..50 {
        let name = format!("loop{n}.log");
        std::os::unix::fs::symlink(&name, folder.path(&name)).unwrap();
    }
    assert_eq!(folder.take().len(), 1);
    let unreadable = folder.files.unreadable();
    assert_eq!(unreadable.len(), 51);
    assert_eq!(unreadable[0].path, folder.path("a.log"));
    assert!(
        unreadable[0].why.contains("symbolic links"),
        "{unreadable:?}"
    );
    let news = folder.files.news();
    assert_eq!(news.len(), 21);
    assert!(
        news[0].contains("a.log cannot be read (Too many"),
        "{news:?}"
    );
    assert_eq!(news[20], "31 more files cannot be read");

    assert_eq!(folder.take(), [""; 0]);
    assert_eq!(folder.files.news(), [""; 0]);
    fs::remove_file(folder.path("a.log")).unwrap();
    folder.append("a.log", &numbered([2]));
    assert_eq!(folder.take().len(), 1);
    assert_eq!(folder.files.unreadable().len(), 50);
}

#[test]
#[cfg(unix)]
fn a_link_is_followed_to_what_it_led_to() {
    let mut folder = Folder::new("links/*.log");
    folder.files.set_most_open(1);
    fs::create_dir(folder.path("links")).unwrap();
    for name in ["a", "b"] {
        let link = folder.path(&format!("links/{name}.log"));
        std::os::unix::fs::symlink(folder.path(name), link).unwrap();
        folder.append(name, &numbered([1]));
    }
    assert_eq!(folder.take().len(), 2);
    for name in ["a", "b"] {
        folder.append(name, &numbered([2]));
        fs::rename(folder.path(name), folder.path(&format!("{name}.1"))).unwrap();
        folder.append(name, &numbered([3]));
    }
    assert_eq!(numbers(folder.take()), [2, 2, 3, 3]);
}

#[test]
#[cfg(unix)]
fn what_was_on_its_way_from_a_file_that_cannot_be_read_waits_for_it() {
    let mut folder = Folder::new("logs/*.log");
    fs::create_dir(folder.path("logs")).unwrap();
    folder.append("logs/a.log", &numbered(0..3));
    let before = folder.fill();
    folder.append("logs/a.log", &numbered(3..5));
    fs::rename(folder.path("logs"), folder.path("moved")).unwrap();
    std::os::unix::fs::symlink("logs", folder.path("logs")).unwrap();
    folder.restart("logs/*.log");
    folder.files.look(false);
    let (again, gone, waiting) = folder.files.again(&before.parts);
    assert_eq!((again.records, gone, &waiting), (0, vec![], &before.parts));
    assert_eq!(folder.files.positions().len(), 1);

    fs::remove_file(folder.path("logs")).unwrap();
    fs::rename(folder.path("moved"), folder.path("logs")).unwrap();
    folder.files.look(false);
    let (again, gone, waiting) = folder.files.again(&waiting);
    assert_eq!(
        (documents(&again), gone, waiting),
        (documents(&before), vec![], vec![])
    );
    folder.files.done(&before.parts);
    assert_eq!(numbers(folder.take()), [3, 4]);
}

#[test]
fn a_single_run_names_what_is_not_there_and_what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let patterns = ["absent.log", "folder", "old.log.gz", "none*.log"];
    let patterns = patterns.map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let why = |files: &Files| -> Vec<_> {
        let unreadable = files.unreadable().into_iter();
        unreadable.map(|unreadable| unreadable.why).collect()
    };
    let mut files = Files::new(&patterns, Vec::new()).unwrap();
    files.look(true);
    assert_eq!(
        why(&files),
        [
            "there is no such file",
            "it is no file",
            "it is compressed: give it uncompressed"
        ]
    );
    let mut files = Files::new(&patterns, Vec::new()).unwrap();
    files.look(false);
    assert_eq!(why(&files).len(), 2);
    let news = files.news();
    let says = |text: &str| news.iter().any(|news| news.contains(text));
    assert!(
        says("absent.log yet; waiting for it") && says("none*.log yet"),
        "{news:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pattern_is_one_or_refused(pattern in r"[a-z*?\[\]{}!./-]{0,12}") {
        if let Ok(mut files) = Files::new(&[format!("/nowhere/{pattern}")], Vec::new()) {
            files.look(false);
        }
    }

    #[test]
    fn whatever_happens_to_files_each_line_comes_once_and_ids_differ(
        most_open in 1..3_usize,
        steps in proptest::collection::vec((0..6_u8, 1..40_u32), 1..40)
    ) {
        let mut folder = Folder::new("app.log*");
        folder.files.set_most_open(most_open);
        let mut written = 0;
        let mut renamed = 0;
        let mut taken = Vec::new();
        let mut pending = String::new();
        for (step, count) in steps {
            match step {
                0..=2 => {
                    for _ in 0..count {
                        pending.push_str(&format!("{{\"n\":{written}}}\n"));
                        written += 1;
                    }
                    // a part of a line comes later
                    let cut = pending.len() - usize::from(step == 2) * 3;
                    let late = pending.split_off(cut);
                    folder.append("app.log", &pending);
                    pending = late;
                }
                3 => {
                    // the writer ends its line first
                    folder.append("app.log", &std::mem::take(&mut pending));
                    renamed += 1;
                    if folder.path("app.log").exists() {
                        fs::rename(folder.path("app.log"), folder.path(&format!("app.log.{renamed}"))).unwrap();
                    }
                }
                4 => {
                    folder.restart("app.log*");
                    folder.files.set_most_open(most_open);
                }
                _ => taken.extend(folder.take()),
            }
        }
        folder.append("app.log", &pending);
        taken.extend(folder.take());
        let mut numbers: Vec<u32> = taken
            .iter()
            .map(|line| line[5..line.len() - 1].parse().unwrap())
            .collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (0..written).collect::<Vec<_>>());
    }
}
