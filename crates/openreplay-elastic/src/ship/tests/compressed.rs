//! Files that a log rotation compresses.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::*;
use crate::ship::content::tests::{gzip, zstd};

pub(super) type Compress = fn(&[u8]) -> Vec<u8>;

/// The extension of compressed files, with the compression.
pub(super) const COMPRESSIONS: [(&str, Compress); 2] = [("gz", gzip), ("zst", zstd)];

/// Compresses a file as `gzip FILE` does: the original is removed when the copy is complete.
pub(super) fn compress_file(path: &Path, extension: &str, compress: Compress) {
    let text = fs::read(path).unwrap();
    fs::write(compressed_path(path, extension), compress(&text)).unwrap();
    fs::remove_file(path).unwrap();
}

pub(super) fn compressed_path(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

pub(super) fn set_modified(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000 + seconds);
    let file = OpenOptions::new().append(true).open(path).unwrap();
    file.set_modified(time).unwrap();
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
