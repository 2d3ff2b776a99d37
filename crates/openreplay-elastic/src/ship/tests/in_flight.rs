use std::fs::{self, File};

use super::*;

#[test]
fn sends_only_in_flight_records_again_under_the_same_ids() {
    let mut folder = Folder::new("*.log");
    let lines = |from: u32| {
        (from..from + 500).fold(String::new(), |text, n| text + &format!("{{\"n\":{n}}}\n"))
    };
    folder.append("a.log", &lines(0));
    folder.append("b.log", &lines(1_000));
    folder.files.scan(Mode::Follow);
    let mut first = folder.files.fill(40_000).unwrap();
    let rest = folder.files.fill(1 << 20).unwrap();
    assert!(first.records > 500 && rest.records > 0);
    first.parts.extend(rest.parts.clone());
    folder.append("b.log", &lines(2_000));
    folder.restart("*.log");
    folder.files.scan(Mode::Follow);
    let (again, gone, waiting) = reread(&mut folder.files, &first.parts);
    assert!(gone.is_empty() && waiting.is_empty());
    let mut before = documents(&first);
    before.extend(documents(&rest));
    assert_eq!(documents(&again), before);
}

#[test]
fn in_flight_records_of_a_rewritten_file_are_lost() {
    for (anew, delivered) in [
        ("", false),
        ("", true),
        ("{\"n\":3}\n{\"n\":4}\n", false),
        ("{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n", false),
        ("{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n", true),
    ] {
        let mut folder = Folder::new("app.log");
        folder.append("app.log", BANNER);
        if delivered {
            folder.append("app.log", "{\"n\":0}\n");
            assert_eq!(folder.take().len(), 2);
        }
        folder.append("app.log", "{\"n\":1}\n{\"n\":2}\n");
        let before = folder.fill();
        File::create(folder.path("app.log")).unwrap();
        folder.append("app.log", BANNER);
        folder.append("app.log", anew);
        folder.restart("app.log");
        folder.files.scan(Mode::Follow);
        let (again, gone, _) = reread(&mut folder.files, &before.parts);
        assert_eq!((again.records, gone), (0, before.parts.clone()));
        let after = documents(&folder.fill());
        assert_eq!(after.len(), 1 + anew.lines().count());
        for (id, _) in documents(&before) {
            assert!(after.iter().all(|(other, _)| *other != id), "{anew}");
        }
    }
}

#[test]
fn in_flight_records_of_a_file_that_is_rewritten_and_renamed_are_lost() {
    let mut folder = Folder::new("app.log*");
    folder.append("app.log", "{\"n\":0}\n");
    assert_eq!(folder.take().len(), 1);
    folder.append("app.log", "{\"n\":1}\n{\"n\":2}\n");
    let before = folder.fill();
    File::create(folder.path("app.log")).unwrap();
    folder.append("app.log", "{\"n\":3}\n");
    fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
    folder.restart("app.log*");
    folder.files.scan(Mode::Follow);
    let (again, gone, waiting) = reread(&mut folder.files, &before.parts);
    assert_eq!((again.records, gone, waiting), (0, before.parts, vec![]));
}

#[test]
#[cfg(unix)]
fn in_flight_records_of_an_unreadable_file_wait_for_it() {
    let mut folder = Folder::new("logs/*.log");
    fs::create_dir(folder.path("logs")).unwrap();
    folder.append("logs/a.log", &numbered(0..3));
    let before = folder.fill();
    folder.append("logs/a.log", &numbered(3..5));
    fs::rename(folder.path("logs"), folder.path("moved")).unwrap();
    std::os::unix::fs::symlink("logs", folder.path("logs")).unwrap();
    folder.restart("logs/*.log");
    folder.files.scan(Mode::Follow);
    let (again, gone, waiting) = reread(&mut folder.files, &before.parts);
    assert_eq!((again.records, gone, &waiting), (0, vec![], &before.parts));
    assert_eq!(folder.files.positions().len(), 1);

    fs::remove_file(folder.path("logs")).unwrap();
    fs::rename(folder.path("moved"), folder.path("logs")).unwrap();
    folder.files.scan(Mode::Follow);
    let (again, gone, waiting) = reread(&mut folder.files, &waiting);
    assert_eq!(
        (documents(&again), gone, waiting),
        (documents(&before), vec![], vec![])
    );
    folder.files.mark_delivered(&before.parts);
    assert_eq!(numbers(folder.take()), [3, 4]);
}
