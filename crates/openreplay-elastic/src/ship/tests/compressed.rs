//! Files that a log rotation compresses.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::ship::content::DECOMPRESSED;
use crate::ship::content::tests::{gzip, zstd};

type Compress = fn(&[u8]) -> Vec<u8>;

/// The extension of compressed files, with the compression.
const COMPRESSIONS: [(&str, Compress); 2] = [("gz", gzip), ("zst", zstd)];

/// Compresses a file as `gzip FILE` does: the original is removed when the copy is complete.
fn compress_file(path: &Path, extension: &str, compress: Compress) {
    let text = fs::read(path).unwrap();
    fs::write(compressed_path(path, extension), compress(&text)).unwrap();
    fs::remove_file(path).unwrap();
}

fn compressed_path(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

#[test]
fn reads_compressed_files_whatever_their_names_are() {
    for (_, compress) in COMPRESSIONS {
        for name in ["app.log.1.gz", "app.log.1"] {
            let mut folder = Folder::new("*");
            fs::write(folder.path(name), compress(numbered(0..50_000).as_bytes())).unwrap();
            assert_eq!(numbers(folder.take()), Vec::from_iter(0..50_000));
            folder.restart("*");
            assert!(folder.take().is_empty());
        }
    }
}

#[test]
fn reads_a_last_line_without_a_line_feed_if_it_is_complete() {
    for (text, expected) in [("{\"n\":1}\n{\"n\":2}", 2), ("{\"n\":1}\n{\"n\":2", 1)] {
        let mut folder = Folder::new("*");
        fs::write(folder.path("a.gz"), gzip(text.as_bytes())).unwrap();
        assert_eq!(folder.take().len(), expected);
    }
}

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

#[test]
fn a_single_run_reads_all_compressed_files() {
    let mut folder = Folder::new("*.gz");
    for n in 0..5 {
        let text = format!("{BANNER}{}", numbered([n]));
        fs::write(
            folder.path(&format!("app.log.{n}.gz")),
            gzip(text.as_bytes()),
        )
        .unwrap();
    }
    let mut taken = Vec::new();
    while taken.is_empty() || !folder.files.is_settled() {
        taken.extend(folder.take_once());
    }
    assert_eq!(taken.len(), 10);
}

#[test]
fn a_file_that_is_rewritten_as_a_compressed_file_is_read_once() {
    for (extension, compress) in COMPRESSIONS {
        let mut folder = Folder::new("app.log*");
        folder.append("app.log", &numbered(0..10));
        folder.append("app.log.2", &numbered(20..30));
        assert_eq!(folder.take().len(), 20);
        // The text of the one is new, and the other one is a copy.
        for (name, text) in [("app.log", 10..20), ("app.log.2", 0..10)] {
            let compressed = compress(numbered(text).as_bytes());
            fs::write(folder.path(name), compressed).unwrap();
        }
        assert_eq!(
            numbers(folder.take()),
            Vec::from_iter(10..20),
            "{extension}"
        );
        folder.restart("app.log*");
        assert_eq!(folder.take(), [""; 0], "{extension}");
    }
}

#[test]
fn reports_damage_and_delivers_the_lines_before_it() {
    let compressed = gzip(numbered(0..1_000).as_bytes());
    let mut damaged = gzip(numbered(1_000..2_000).as_bytes());
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    let mut folder = Folder::new("*");
    fs::write(folder.path("cut.gz"), &compressed[..compressed.len() - 20]).unwrap();
    fs::write(folder.path("damaged.gz"), damaged).unwrap();
    fs::write(folder.path("other.xz"), b"\xfd7zXZ\x00\x00").unwrap();
    let taken = folder.take_once().len();
    assert!((1_500..=2_000).contains(&taken), "{taken}");
    folder.files.report_rest();
    let unreadable = folder.files.unreadable();
    let reasons: Vec<_> = unreadable.iter().map(|file| &file.reason[..]).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].starts_with("the compressed data ends early; "));
    assert!(
        reasons[1].starts_with("the compressed data is damaged: the checksum does not match; ")
    );
    let messages = folder.files.take_messages().join("\n");
    assert!(
        messages
            .contains("other.xz is skipped: it is compressed with xz; gzip and zstd can be read"),
        "{messages}"
    );
}

#[test]
fn continues_a_file_that_is_still_being_compressed() {
    let compressed = gzip(numbered(0..100_000).as_bytes());
    let (first, rest) = compressed.split_at(compressed.len() / 2);
    let mut folder = Folder::new("*");
    fs::write(folder.path("a.gz"), first).unwrap();
    let mut taken = numbers(folder.take());
    assert!(taken.len() > 10_000 && taken.len() < 90_000);
    assert!(folder.files.unreadable().is_empty());
    let mut file = OpenOptions::new()
        .append(true)
        .open(folder.path("a.gz"))
        .unwrap();
    file.write_all(rest).unwrap();
    taken.extend(numbers(folder.take()));
    assert!(taken == Vec::from_iter(0..100_000), "{}", taken.len());
}

/// As a binary file does, or a sparse file that was truncated.
#[test]
fn a_long_text_without_a_line_keeps_no_other_file_waiting() {
    const LENGTH: usize = 100 << 20;
    for (byte, count) in [(b'x', 3), (0, 2)] {
        let mut folder = Folder::new("*");
        let [first, last] = [0, 1].map(|n| numbered([n]).into_bytes());
        let end: &[u8] = if byte == 0 { b"" } else { b"\n" };
        let text = [&first[..], &vec![byte; LENGTH], end, &last].concat();
        fs::write(folder.path("a.zst"), zstd(&text)).unwrap();
        let mut taken = Vec::new();
        let mut with_others = 0;
        folder.files.scan(Mode::Follow);
        while let Some(framed) = folder.files.fill(1 << 20) {
            folder.files.mark_delivered(&framed.parts);
            let documents = documents(&framed).into_iter().map(|(_, document)| document);
            let (others, own): (Vec<_>, Vec<_>) = documents.partition(|line| line == "{}");
            with_others += usize::from(!others.is_empty());
            taken.extend(own);
            if taken.len() < count {
                folder.append("other.log", "{}\n");
            }
            folder.files.scan(Mode::Follow);
        }
        assert_eq!(taken.len(), count, "{byte}");
        assert!(taken[count - 1].contains("\"n\":1"), "{byte}");
        assert!(with_others >= 3, "{byte}: {with_others}");
    }
}

#[test]
fn a_long_last_line_without_an_end_keeps_no_other_file_waiting() {
    let mut folder = Folder::new("*");
    let text = [numbered([0]).into_bytes(), vec![b'x'; 20 << 20]].concat();
    fs::write(folder.path("a.zst"), zstd(&text)).unwrap();
    fs::write(folder.path("b.zst"), zstd(numbered([1]).as_bytes())).unwrap();
    set_modified(&folder.path("a.zst"), 1);
    set_modified(&folder.path("b.zst"), 2);
    assert_eq!(numbers(folder.take_once()), [0, 1]);
    assert!(folder.files.is_settled());
}

/// Docker splits longer lines.
const DOCKER_PIECE: usize = 16 * 1024;

/// A record as Docker writes it.
fn docker(n: usize) -> String {
    docker_line(&numbered([n]))
}

fn docker_line(log: &str) -> String {
    let time = "2026-07-01T12:00:00.25Z";
    let line = serde_json::json!({"log": log, "stream": "stdout", "time": time});
    format!("{line}\n")
}

/// The beginning and the rest of a record that Docker split.
fn docker_halves(n: usize) -> [String; 2] {
    let text = format!("{{\"n\":{n},\"text\":\"{}\"}}\n", "x".repeat(DOCKER_PIECE));
    let (begin, rest) = text.split_at(DOCKER_PIECE);
    [begin, rest].map(docker_line)
}

/// The numbers of records, to which an envelope adds its time; -1 for what is none.
fn sorted(documents: &[String]) -> Vec<i64> {
    let records = documents.iter().map(|text| serde_json::from_str(text));
    let records = records.map(Result::<serde_json::Value, _>::unwrap);
    let mut numbers: Vec<_> = records
        .map(|record| record["n"].as_i64().unwrap_or(-1))
        .collect();
    numbers.sort_unstable();
    numbers
}

fn set_modified(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000 + seconds);
    let file = OpenOptions::new().append(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn compressed_rotations_of_containers_are_read_from_the_oldest_on() {
    for mode in [Mode::Follow, Mode::Once] {
        for (modified, name) in [
            ([4, 3, 2, 1], "as Docker leaves them"),
            ([1, 1, 1, 1], "copied from elsewhere"),
            ([1, 2, 3, 4], "compressed later"),
        ] {
            let mut folder = Folder::new("*");
            let [begin, rest] = docker_halves(3);
            let texts = [
                ("x-json.log", docker(4)),
                ("x-json.log.1.gz", rest),
                ("x-json.log.2.gz", docker(2) + &begin),
                ("x-json.log.3.gz", docker(1)),
            ];
            for ((name, text), modified) in texts.iter().zip(modified) {
                let is_compressed = name.ends_with(".gz");
                let bytes = text.clone().into_bytes();
                let bytes = if is_compressed { gzip(&bytes) } else { bytes };
                fs::write(folder.path(name), bytes).unwrap();
                set_modified(&folder.path(name), modified);
            }
            fs::write(folder.path("other.gz"), gzip(numbered([0]).as_bytes())).unwrap();
            let taken = take(&mut folder.files, mode);
            assert_eq!(sorted(&taken), [0, 1, 2, 3, 4], "{name} {mode:?}");
            assert!(folder.files.is_settled());
        }
    }
}

#[test]
#[cfg(unix)]
fn a_compressed_file_that_fails_keeps_no_other_one_waiting() {
    let mut folder = Folder::new("*.gz");
    folder.files.set_most_open(1);
    for (n, name) in ["a.gz", "b.gz", "c.gz"].into_iter().enumerate() {
        fs::write(folder.path(name), gzip(numbered([n]).as_bytes())).unwrap();
        set_modified(&folder.path(name), n as u64);
    }
    folder.files.scan(Mode::Follow);
    deny_opening(&folder, "a.gz");
    let framed = folder.files.fill(1 << 20).unwrap();
    let taken = documents(&framed).into_iter().map(|(_, document)| document);
    assert_eq!(numbers(taken.collect()), [1, 2]);
    let unreadable = folder.files.unreadable();
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    assert_eq!(unreadable[0].path, folder.path("a.gz"));
}

/// Lets the file be looked at, and not opened. Root may read all files, but not over the links of
/// others.
#[cfg(unix)]
fn deny_opening(folder: &Folder, name: &str) {
    use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};

    let path = folder.path(name);
    if rustix::process::geteuid().is_root() {
        fs::rename(&path, folder.path("moved")).unwrap();
        symlink(folder.path("moved"), &path).unwrap();
        lchown(&path, Some(12_345), None).unwrap();
    } else {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    }
}

/// Docker rotates in the middle of a message, and compresses the rotated file at once.
#[test]
fn a_copy_is_not_the_file_before_the_next_one() {
    for is_delivered in [false, true] {
        let mut folder = Folder::new("x-json.log*");
        let [begin, rest] = docker_halves(2);
        folder.append("x-json.log", &docker(0));
        let mut taken = folder.take();
        folder.append("x-json.log", &(docker(1) + &begin));
        if is_delivered {
            taken.extend(folder.take());
        }
        let rotated = folder.path("x-json.log.1");
        fs::rename(folder.path("x-json.log"), &rotated).unwrap();
        fs::write(
            folder.path("x-json.log.1.gz"),
            gzip(&fs::read(&rotated).unwrap()),
        )
        .unwrap();
        folder.append("x-json.log", &(rest + &docker(3)));
        set_modified(&rotated, 1);
        set_modified(&folder.path("x-json.log.1.gz"), 2);
        set_modified(&folder.path("x-json.log"), 3);
        taken.extend(folder.take());
        fs::remove_file(&rotated).unwrap();
        for _ in 0..3 {
            taken.extend(folder.take());
        }
        assert_eq!(sorted(&taken), [0, 1, 2, 3], "{is_delivered}");
    }
}

/// The kubelet compresses the rotated file just before it rotates the next one, to which a quiet
/// app wrote earlier.
#[test]
fn the_time_of_compression_is_not_that_of_the_last_line() {
    let mut folder = Folder::new("0.log*");
    let [begin, rest] = docker_halves(2);
    let texts = [
        ("0.log.20260701-100000.gz", docker(0), 2),
        ("0.log.20260701-110000", docker(1) + &begin, 1),
        ("0.log", rest, 3),
    ];
    for (name, text, modified) in &texts {
        let bytes = text.clone().into_bytes();
        let is_compressed = name.ends_with(".gz");
        let bytes = if is_compressed { gzip(&bytes) } else { bytes };
        fs::write(folder.path(name), bytes).unwrap();
        set_modified(&folder.path(name), *modified);
    }
    assert_eq!(sorted(&folder.take()), [0, 1, 2]);
}
