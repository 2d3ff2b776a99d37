use std::fs;

use super::*;
use crate::ship::folders::{Folders, Lookup};
use crate::ship::hash::HASH;

#[test]
fn a_new_name_of_a_followed_file_is_another_name_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["app.log", "app.log.1"].map(|name| folder.path().join(name));
    fs::write(&paths[0], "{\"n\":1}\n").unwrap();
    fs::write(&paths[1], "{\"n\":0}\n").unwrap();
    let mut files = Files::new(&[], Vec::new(), HASH).unwrap();
    let mut places = Places::new();
    let at = files
        .open(&paths[0], &mut places, &mut Folders::default())
        .unwrap();
    // between the check of the second name and its opening
    fs::rename(&paths[0], &paths[1]).unwrap();
    assert_eq!(
        files
            .open(&paths[1], &mut places, &mut Folders::default())
            .unwrap(),
        at
    );
    assert_eq!((files.tails.len(), &files.tails[at].path), (1, &paths[1]));
}

/// A rotation renames files after their folder was read.
#[test]
fn a_known_file_that_is_renamed_during_its_search_stays_known() {
    for (case, other, is_followed) in [
        ("no other file", None, false),
        ("an unknown file", Some("{\"n\":1}\n"), false),
        ("a followed file", Some("{\"n\":1}\n"), true),
        ("a file of the same length", Some("{\"n\":0}\n"), false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let [path, renamed] = ["app.log", "app.log.1"].map(|name| folder.path().join(name));
        let pattern = [folder.path().join("app.log*").into_os_string()];
        fs::write(&path, "{\"n\":0}\n").unwrap();
        let mut files = Files::new(&pattern, Vec::new(), HASH).unwrap();
        files.scan(Mode::Follow);
        let framed = files.fill(1 << 20).unwrap();
        files.mark_delivered(&framed.parts);
        let known = files.positions();
        let seed = known[0].seed;

        for is_first in [true, false] {
            let mut files = Files::new(&pattern, known.clone(), HASH).unwrap();
            files.searched = (!is_first).then(Instant::now);
            let mut folders = Folders::default();
            let mut places = Places::new();
            assert!(matches!(
                folders.find(&path, known[0].identity.inode()),
                Lookup::Found(_)
            ));
            fs::rename(&path, &renamed).unwrap();
            if let Some(text) = other {
                fs::write(&path, text).unwrap();
            }
            if is_followed {
                files.open(&path, &mut places, &mut folders).unwrap();
            }
            files.find_known(&mut places, &mut folders);
            assert_eq!(files.is_moving, is_first, "{case}");
            files.scan(Mode::Follow);
            let seeds = files.tails.iter().map(Tail::seed);
            assert!(seeds.into_iter().any(|other| other == seed), "{case}");
            fs::rename(&renamed, &path).unwrap();
        }
    }
}

#[test]
fn a_compressed_file_that_failed_is_read_after_the_others() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.zst", "b.zst"] {
        let text = format!("{{\"name\":\"{name}\"}}\n");
        let compressed = zstd::encode_all(text.as_bytes(), 3).unwrap();
        fs::write(folder.path().join(name), compressed).unwrap();
    }
    let pattern = [folder.path().join("*").into_os_string()];
    let mut files = Files::new(&pattern, Vec::new(), HASH).unwrap();
    files.scan(Mode::Follow);
    let first = files.choose_compressed(&mut None).unwrap();
    files.fail(first, &io::Error::other("it cannot be read"));
    files.scan(Mode::Follow);
    assert!(files.tails[first].has_more());
    assert_eq!(files.choose_compressed(&mut None), Some(1 - first));
    while files.fill(1 << 20).is_some() {}
    assert!(!files.tails[first].has_more() && !files.tails[first].has_failed());
}

/// The work for each file once grew with the number of files.
#[test]
fn the_work_for_a_file_does_not_grow_with_the_number_of_files() {
    const OPEN: usize = 8;
    let steps = |count: usize| {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..count {
            let path = folder.path().join(format!("{number}.log"));
            fs::write(path, "{\"n\":1}\n").unwrap();
        }
        let pattern = [folder.path().join("*.log").into_os_string()];
        let mut known = Vec::new();
        let mut steps = 0;
        for _ in 0..2 {
            let mut files = Files::new(&pattern, known, HASH).unwrap();
            files.most_open = OPEN;
            files.scan(Mode::Follow);
            while let Some(framed) = files.fill(1 << 20) {
                files.mark_delivered(&framed.parts);
            }
            known = files.positions();
            assert_eq!(known.len(), count);
            steps += files.steps + files.known.steps.get();
        }
        steps
    };
    let (few, many) = (steps(100), steps(400));
    assert!(many <= few * 5, "{few} steps for 100 files, {many} for 400");
    assert!(few > 100, "{few}");
}
