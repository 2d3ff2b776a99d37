//! Compressed copies of files, as a log rotation leaves them.

use std::fs;
use std::io::Write as _;

use super::compressed::{COMPRESSIONS, compress_file, compressed_path, set_modified};
use super::*;
use crate::ship::content::DECOMPRESSED;
use crate::ship::content::tests::gzip;

/// The sequences of logrotate, with and without `delaycompress`, at any place in the file, while a
/// shipper runs and while none runs.
#[test]
fn continues_a_rotated_file_that_is_compressed() {
    for (extension, compress) in COMPRESSIONS {
        for delays in [false, true] {
            for delivered in [0, 1, 700, 1_000] {
                for restarts in [false, true] {
                    let case = format!("{extension} {delays} {delivered} {restarts}");
                    let mut folder = Folder::new("app.log*");
                    folder.append("app.log", &numbered(0..delivered));
                    let mut taken = numbers(folder.take());
                    folder.append("app.log", &numbered(delivered..1_000));
                    fs::rename(folder.path("app.log"), folder.path("app.log.1")).unwrap();
                    if delays {
                        folder.append("app.log", &numbered(1_000..1_010));
                        taken.extend(numbers(folder.take()));
                        fs::rename(folder.path("app.log.1"), folder.path("app.log.2")).unwrap();
                        compress_file(&folder.path("app.log.2"), extension, compress);
                    } else {
                        compress_file(&folder.path("app.log.1"), extension, compress);
                        folder.append("app.log", &numbered(1_000..1_010));
                    }
                    if restarts {
                        folder.restart("app.log*");
                    }
                    for _ in 0..3 {
                        taken.extend(numbers(folder.take()));
                    }
                    folder.restart("app.log*");
                    taken.extend(numbers(folder.take()));
                    taken.sort_unstable();
                    assert!(taken == Vec::from_iter(0..1_010), "{case}: {}", taken.len());
                }
            }
        }
    }
}

/// The shipper has closed the original, so only the copy has the remaining lines.
#[test]
fn reads_the_rest_of_a_closed_file_from_its_copy() {
    for (extension, compress) in COMPRESSIONS {
        let mut folder = Folder::new("*");
        folder.files.set_most_open(1);
        folder.append("a.log", &numbered(0..10));
        folder.append("b.log", &numbered(10..20));
        let mut taken = numbers(folder.take());
        folder.append("a.log", &numbered(20..30));
        folder.append("b.log", &numbered(30..40));
        compress_file(&folder.path("a.log"), extension, compress);
        compress_file(&folder.path("b.log"), extension, compress);
        for _ in 0..4 {
            taken.extend(numbers(folder.take()));
        }
        taken.sort_unstable();
        assert_eq!(taken, Vec::from_iter(0..40));
        assert_eq!(folder.files.take_messages(), [""; 0]);
        assert!(folder.files.unreadable().is_empty());
    }
}

/// A scan may miss a copy while a rotation renames it, and a shipper may be killed meanwhile.
#[test]
fn recognises_a_copy_that_appears_after_any_number_of_scans() {
    for scans in 1..6 {
        for restart in 0..=scans {
            let mut folder = Folder::new("app.log*");
            folder.append("app.log.1", &numbered(0..10));
            let compressed = gzip(numbered(0..12).as_bytes());
            let mut taken = numbers(folder.take());
            fs::remove_file(folder.path("app.log.1")).unwrap();
            for scan in 0..scans {
                if scan == restart {
                    folder.restart("app.log*");
                }
                taken.extend(numbers(folder.take()));
                folder.files.wait_quietly();
            }
            fs::write(folder.path("app.log.1.gz"), compressed).unwrap();
            taken.extend(numbers(folder.take()));
            taken.sort_unstable();
            assert_eq!(taken, Vec::from_iter(0..12), "{scans} {restart}");
        }
    }
}

/// The inode of a deleted file is reused for another one.
#[test]
fn recognises_two_copies_of_a_file_that_is_gone() {
    for restarts in [false, true] {
        let mut folder = Folder::new("app.log*");
        let text = numbered(0..1_000);
        folder.append("app.log", &text);
        assert_eq!(folder.take().len(), 1_000);
        // Before the original is deleted, so that they do not get its inode.
        for (extension, compress) in COMPRESSIONS {
            fs::write(folder.path(extension), compress(text.as_bytes())).unwrap();
        }
        fs::remove_file(folder.path("app.log")).unwrap();
        folder.take();
        for (extension, _) in COMPRESSIONS {
            let copy = compressed_path(&folder.path("app.log.1"), extension);
            fs::rename(folder.path(extension), copy).unwrap();
        }
        if restarts {
            folder.restart("app.log*");
        }
        for _ in 0..4 {
            assert_eq!(folder.take(), [""; 0], "{restarts}");
        }
    }
}

#[test]
fn recognises_a_copy_whose_original_left_its_inode_to_another_file() {
    for restarts in [false, true] {
        for scans in 0..4 {
            let mut folder = Folder::new("app.log*");
            folder.append("app.log.1", &numbered(0..10));
            let compressed = gzip(numbered(0..12).as_bytes());
            let mut taken = numbers(folder.take());
            if restarts {
                folder.restart("app.log*");
            }
            fs::write(folder.path("app.log.1"), numbered(20..30)).unwrap();
            for _ in 0..scans {
                taken.extend(numbers(folder.take()));
                folder.files.wait_quietly();
            }
            fs::write(folder.path("app.log.2.gz"), compressed).unwrap();
            for _ in 0..2 {
                taken.extend(numbers(folder.take()));
            }
            taken.sort_unstable();
            let expected = (0..12).chain(20..30);
            assert_eq!(taken, Vec::from_iter(expected), "{restarts} {scans}");
        }
    }
}

#[test]
fn a_copy_that_is_being_written_waits_for_its_original() {
    for (extension, compress) in COMPRESSIONS {
        let mut folder = Folder::new("*");
        let path = folder.path("app.log.1");
        folder.append("app.log.1", &numbered(0..30_000));
        let mut taken = numbers(folder.take());
        let compressed = compress(&fs::read(&path).unwrap());
        let copy = compressed_path(&path, extension);
        fs::write(&copy, "").unwrap();
        for part in compressed.chunks(compressed.len() / 5 + 1) {
            assert!(folder.take().is_empty());
            let mut file = OpenOptions::new().append(true).open(&copy).unwrap();
            file.write_all(part).unwrap();
        }
        assert!(folder.take().is_empty());
        // The app still has the file open, and writes to it once more.
        folder.append("app.log.1", &numbered([30_000]));
        fs::remove_file(&path).unwrap();
        for _ in 0..3 {
            taken.extend(numbers(folder.take()));
        }
        folder.restart("*");
        taken.extend(numbers(folder.take()));
        taken.sort_unstable();
        assert!(
            taken == Vec::from_iter(0..=30_000),
            "{extension}: {}",
            taken.len()
        );
    }
}

/// The text of the copy ends within a line for now.
#[test]
fn a_copy_that_is_incomplete_when_its_original_is_deleted_continues_it() {
    for (extension, compress) in COMPRESSIONS {
        for restarts in [false, true] {
            let mut folder = Folder::new("app.log*");
            folder.append("app.log.1", &numbered(0..30_000));
            let mut taken = numbers(folder.take());
            folder.append("app.log.1", &numbered([30_000]));
            let compressed = compress(numbered(0..=30_000).as_bytes());
            let (first, rest) = compressed.split_at(compressed.len() / 2);
            let copy = compressed_path(&folder.path("app.log.1"), extension);
            fs::write(&copy, first).unwrap();
            taken.extend(numbers(folder.take()));
            fs::remove_file(folder.path("app.log.1")).unwrap();
            for _ in 0..3 {
                taken.extend(numbers(folder.take()));
            }
            if restarts {
                folder.restart("app.log*");
                taken.extend(numbers(folder.take()));
            }
            let mut file = OpenOptions::new().append(true).open(&copy).unwrap();
            file.write_all(rest).unwrap();
            for _ in 0..2 {
                taken.extend(numbers(folder.take()));
            }
            taken.sort_unstable();
            let is_once = taken == Vec::from_iter(0..=30_000);
            assert!(is_once, "{extension} {restarts}: {}", taken.len());
        }
    }
}

#[test]
fn reads_in_flight_records_again_from_the_copy() {
    let mut folder = Folder::new("app.log*");
    folder.append("app.log.1", &numbered(0..10));
    let before = folder.fill();
    compress_file(&folder.path("app.log.1"), "gz", gzip);
    folder.restart("app.log*");
    folder.files.scan(Mode::Follow);
    let (framed, lost, waiting) = reread(&mut folder.files, &before.parts);
    assert_eq!((lost, waiting), (vec![], vec![]));
    assert_eq!(documents(&framed), documents(&before));
    folder.files.mark_delivered(&framed.parts);
    assert!(folder.take().is_empty());
}

#[test]
fn delivers_other_files_with_the_same_first_line() {
    let mut folder = Folder::new("*");
    let log = |n| format!("{BANNER}{}", numbered([n]));
    for n in 0..5 {
        fs::write(
            folder.path(&format!("app.log.{n}.gz")),
            gzip(log(n).as_bytes()),
        )
        .unwrap();
    }
    folder.append("app.log", &log(5));
    let mut taken = Vec::new();
    for _ in 0..8 {
        taken.extend(folder.take());
    }
    taken.retain(|line| line.contains("\"n\""));
    assert_eq!(numbers(taken), Vec::from_iter(0..6));
}

/// A waiting file is compared with another one once, however often files are scanned.
#[test]
fn files_with_the_same_first_line_are_not_decompressed_again_for_each_batch() {
    const FILES: usize = 6;
    let cut_off = |compressed: Vec<u8>| compressed[..compressed.len() - 10].to_vec();
    for is_complete in [true, false] {
        let mut folder = Folder::new("*");
        let mut size = 0;
        for n in 0..FILES {
            let text = format!("{BANNER}{}", numbered((0..30_000).map(|k| k * FILES + n)));
            size = text.len();
            let compressed = gzip(text.as_bytes());
            let is_first = n == 0;
            let compressed = if is_first || is_complete {
                compressed
            } else {
                cut_off(compressed)
            };
            fs::write(folder.path(&format!("app.log.{n}.gz")), compressed).unwrap();
            set_modified(&folder.path(&format!("app.log.{n}.gz")), n as u64);
        }
        DECOMPRESSED.set(0);
        for _ in 0..200 {
            folder.files.scan(Mode::Follow);
            if let Some(framed) = folder.files.fill(64 * 1024) {
                folder.files.mark_delivered(&framed.parts);
            }
        }
        let times = DECOMPRESSED.get() / size;
        assert!(
            times <= FILES * (FILES + 1),
            "{is_complete}: {times} times the text"
        );
    }
}
