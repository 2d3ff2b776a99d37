use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::ship::hash::HASH;
use crate::ship::identity::Identity;

/// Returns lines that compress to about a fifth of their size.
fn text(lines: usize) -> Vec<u8> {
    let line = |n: usize| {
        format!(
            "{{\"n\":{n},\"at\":{}}}\n",
            n.wrapping_mul(2_654_435_761) % 9973
        )
    };
    (0..lines).flat_map(|n| line(n).into_bytes()).collect()
}

pub(in crate::ship) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(in crate::ship) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).unwrap()
}

/// Compresses the text in both formats, as one part and as several.
fn all(text: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    let (first, rest) = text.split_at(text.len() / 3);
    [
        ("gzip", gzip(text)),
        ("zstd", zstd(text)),
        (
            "gzip of parts",
            [gzip(first), gzip(b""), gzip(rest)].concat(),
        ),
        (
            "zstd of parts",
            [zstd(first), zstd(b""), zstd(rest)].concat(),
        ),
    ]
}

fn content(path: &Path) -> Content {
    Content::of(File::open(path).unwrap()).unwrap()
}

fn read(content: &Content, offset: u64, length: usize) -> Vec<u8> {
    let mut buffer = vec![0; length];
    let read = content.read_at(&mut buffer, offset).unwrap();
    buffer.truncate(read);
    buffer
}

/// Otherwise, its bytes would be read as text.
#[test]
fn a_file_that_is_compressed_after_it_was_opened_has_no_identity() {
    let text = text(1_000);
    for (name, compressed) in all(&text) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let opened = content(file.path());
        fs::write(file.path(), compressed).unwrap();
        let identity = |content: &Content| {
            let seen = content.seen().unwrap();
            Identity::of(content, &seen, HASH).unwrap()
        };
        assert_eq!(identity(&opened), None, "{name}");
        assert!(identity(&opened.redetect().unwrap()).is_some(), "{name}");
    }
}

#[test]
fn reads_any_section_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let text = text(60_000);
    let length = text.len();
    for (name, compressed) in all(&text) {
        assert!(compressed.len() < length / 2, "{name}");
        let path = folder.path().join(name);
        fs::write(&path, compressed).unwrap();
        let content = content(&path);
        for (offset, wanted) in [
            (0, 4096),
            (0, 300_000),
            (295_904, 4096),
            (300_000, 300_000),
            (7, 1),
            (length - 10, 4096),
            (length, 1),
            (length + 5, 5),
            (1_000, 100_000),
        ] {
            let expected = &text[offset.min(length)..(offset + wanted).min(length)];
            assert_eq!(
                read(&content, offset as u64, wanted),
                expected,
                "{name} {offset}"
            );
            content.release();
            assert_eq!(
                read(&content, offset as u64, wanted),
                expected,
                "{name} {offset}"
            );
        }
        assert_eq!(content.ending(), Some((length as u64, Ending::Complete)));
        assert_eq!(content.reach(10).unwrap(), 10);
        assert_eq!(content.reach(UNKNOWN).unwrap(), length as u64);
    }
}

#[test]
fn reads_a_file_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let text = text(20_000);
    for (name, compressed) in all(&text) {
        let path = folder.path().join(name);
        fs::write(&path, &compressed[..10]).unwrap();
        let content = content(&path);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        let mut found = Vec::new();
        for part in compressed[10..].chunks(7_919) {
            found.extend(read(&content, found.len() as u64, text.len()));
            let (end, _) = content.ending().unwrap();
            assert_eq!(end, found.len() as u64, "{name}");
            file.write_all(part).unwrap();
            content.grow();
        }
        found.extend(read(&content, found.len() as u64, text.len()));
        assert!(found == text, "{name}: {} of {}", found.len(), text.len());
        assert_eq!(
            content.ending(),
            Some((text.len() as u64, Ending::Complete))
        );
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_ends_early() {
    let folder = tempfile::tempdir().unwrap();
    let text = text(40);
    for (name, compressed) in all(&text) {
        for cut in 4..compressed.len() {
            let path = folder.path().join(name);
            fs::write(&path, &compressed[..cut]).unwrap();
            let content = content(&path);
            let found = read(&content, 0, text.len() + 1);
            assert!(text.starts_with(&found), "{name} {cut}");
            let (end, ending) = content.ending().unwrap();
            // Between two parts, the file looks complete.
            let is_between = name.ends_with("parts") && found.len() == text.len() / 3;
            assert!(
                ending == Ending::Early || is_between,
                "{name} {cut}: {ending:?}"
            );
            assert_eq!(end, found.len() as u64);
        }
    }
}

#[test]
fn reads_the_text_before_damaged_data() {
    let folder = tempfile::tempdir().unwrap();
    let text = text(200_000);
    for (name, mut compressed) in all(&text) {
        let at = compressed.len() * 3 / 4;
        for byte in &mut compressed[at..at + 64] {
            *byte ^= 0x5a;
        }
        let path = folder.path().join(name);
        fs::write(&path, &compressed).unwrap();
        let content = content(&path);
        // Damaged data may decompress to wrong text before the damage is detected.
        let end = content.reach(UNKNOWN).unwrap();
        let found = read(&content, 0, usize::try_from(end).unwrap() + 1);
        let (_, ending) = content.ending().unwrap();
        assert!(matches!(ending, Ending::Corrupt(_)), "{name}: {ending:?}");
        assert_eq!(end, found.len() as u64, "{name}");
        let same = found.iter().zip(&text).take_while(|(a, b)| a == b).count();
        assert!(same > text.len() / 2, "{name}: {same} of {}", text.len());
    }
}

#[test]
fn does_not_read_what_follows_the_compressed_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for (rest, is_complete) in [(&[0; 1000][..], true), (b"more", false)] {
        fs::write(&path, [&gzip(b"text\n")[..], rest].concat()).unwrap();
        let content = content(&path);
        assert_eq!(read(&content, 0, 100), b"text\n");
        let (_, ending) = content.ending().unwrap();
        assert_eq!(ending == Ending::Complete, is_complete, "{ending:?}");
    }
}

#[test]
fn a_decompression_bomb_takes_bounded_memory() {
    const LENGTH: usize = 32 << 20;
    let folder = tempfile::tempdir().unwrap();
    for (name, compressed) in [
        ("gzip", gzip(&vec![0; LENGTH])),
        ("zstd", zstd(&vec![0; LENGTH])),
    ] {
        let path = folder.path().join(name);
        assert!(compressed.len() < 400_000, "{name}: {}", compressed.len());
        fs::write(&path, compressed).unwrap();
        let content = content(&path);
        assert_eq!(content.reach(UNKNOWN).unwrap(), LENGTH as u64, "{name}");
        assert!(content.memory() < 1 << 20, "{name}: {}", content.memory());
        for offset in (0..LENGTH as u64).step_by(4 << 20) {
            assert_eq!(read(&content, offset, 256 * 1024).len(), 256 * 1024);
            assert!(content.memory() < 2 << 20, "{name}: {}", content.memory());
        }
        content.release();
        assert_eq!(content.memory(), 0);
    }
}
