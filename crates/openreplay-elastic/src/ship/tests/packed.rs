//! Files that a log rotation compresses.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

type Pack = fn(&[u8]) -> Vec<u8>;

/// The extension of compressed files, with the compression.
const PACKINGS: [(&str, Pack); 2] = [("gz", gzip), ("zst", zstd)];

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

/// Compresses a file as `gzip FILE` does: the original is removed when the copy is complete.
fn compress(path: &Path, extension: &str, pack: Pack) {
    let text = fs::read(path).unwrap();
    fs::write(packed_path(path, extension), pack(&text)).unwrap();
    fs::remove_file(path).unwrap();
}

fn packed_path(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

#[test]
fn reads_compressed_files_whatever_their_names_are() {
    for (_, pack) in PACKINGS {
        for name in ["app.log.1.gz", "app.log.1"] {
            let mut folder = Folder::new("*");
            fs::write(folder.path(name), pack(numbered(0..50_000).as_bytes())).unwrap();
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
    for (extension, pack) in PACKINGS {
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
                        compress(&folder.path("app.log.2"), extension, pack);
                    } else {
                        compress(&folder.path("app.log.1"), extension, pack);
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
    for (extension, pack) in PACKINGS {
        let mut folder = Folder::new("*");
        folder.files.set_most_open(1);
        folder.append("a.log", &numbered(0..10));
        folder.append("b.log", &numbered(10..20));
        let mut taken = numbers(folder.take());
        folder.append("a.log", &numbered(20..30));
        folder.append("b.log", &numbered(30..40));
        compress(&folder.path("a.log"), extension, pack);
        compress(&folder.path("b.log"), extension, pack);
        for _ in 0..4 {
            taken.extend(numbers(folder.take()));
        }
        taken.sort_unstable();
        assert_eq!(taken, Vec::from_iter(0..40));
        assert_eq!(folder.files.take_messages(), [""; 0]);
        assert!(folder.files.unreadable().is_empty());
    }
}

/// The copy appears before or after the scan of the folder that missed the original.
#[test]
fn recognises_a_copy_that_appears_one_scan_later() {
    let mut folder = Folder::new("app.log*");
    folder.append("app.log.1", &numbered(0..10));
    let packed = gzip(numbered(0..12).as_bytes());
    let mut taken = numbers(folder.take());
    fs::remove_file(folder.path("app.log.1")).unwrap();
    taken.extend(numbers(folder.take()));
    fs::write(folder.path("app.log.1.gz"), packed).unwrap();
    taken.extend(numbers(folder.take()));
    taken.sort_unstable();
    assert_eq!(taken, Vec::from_iter(0..12));
}

#[test]
fn a_copy_that_is_being_written_waits_for_its_original() {
    for (extension, pack) in PACKINGS {
        let mut folder = Folder::new("*");
        let path = folder.path("app.log.1");
        folder.append("app.log.1", &numbered(0..30_000));
        let mut taken = numbers(folder.take());
        let packed = pack(&fs::read(&path).unwrap());
        let copy = packed_path(&path, extension);
        fs::write(&copy, "").unwrap();
        for part in packed.chunks(packed.len() / 5 + 1) {
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

#[test]
fn reads_in_flight_records_again_from_the_copy() {
    let mut folder = Folder::new("app.log*");
    folder.append("app.log.1", &numbered(0..10));
    let before = folder.fill();
    compress(&folder.path("app.log.1"), "gz", gzip);
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
fn reports_damage_and_delivers_the_lines_before_it() {
    let packed = gzip(numbered(0..1_000).as_bytes());
    let mut damaged = gzip(numbered(1_000..2_000).as_bytes());
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    let mut folder = Folder::new("*");
    fs::write(folder.path("cut.gz"), &packed[..packed.len() - 20]).unwrap();
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
            .contains("other.xz is left out: it is compressed with xz; gzip and zstd can be read"),
        "{messages}"
    );
}

#[test]
fn continues_a_file_that_is_still_being_compressed() {
    let packed = gzip(numbered(0..100_000).as_bytes());
    let (first, rest) = packed.split_at(packed.len() / 2);
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
