//! Logs of containers, whose runtimes rotate and compress them.

use std::fs;

use super::compressed::set_modified;
use super::*;
use crate::ship::content::tests::gzip;

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
