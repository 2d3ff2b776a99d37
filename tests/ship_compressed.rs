//! `ship` follows a file that is rotated and compressed again and again, as logrotate does, while
//! it runs, is killed, and starts again.
#![cfg(unix)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use integration_tests::ship::{Killed, line, numbers, ship, wait_for};
use integration_tests::{CommandOutput, StandIn};
use serde_json::json;

const ROTATIONS: u64 = 12;
const LINES: u64 = 400;

/// The app's folder of logs.
struct Logs {
    folder: PathBuf,
    written: u64,
    /// `delaycompress`: a file is compressed at the next rotation.
    delays: bool,
}

impl Logs {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&mut self, lines: u64) {
        let path = self.path("app.log");
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        for _ in 0..lines {
            file.write_all(line(self.written).as_bytes()).unwrap();
            self.written += 1;
        }
    }

    /// As logrotate does: it renames the files, lets the app create a new one, and compresses.
    fn rotate(&self) {
        for n in (1..ROTATIONS + 2).rev() {
            for extension in ["", ".gz", ".zst"] {
                let from = self.path(&format!("app.log.{n}{extension}"));
                if from.exists() {
                    fs::rename(&from, self.path(&format!("app.log.{}{extension}", n + 1))).unwrap();
                }
            }
        }
        fs::rename(self.path("app.log"), self.path("app.log.1")).unwrap();
        fs::write(self.path("app.log"), "").unwrap();
        let number = if self.delays { 2 } else { 1 };
        let path = self.path(&format!("app.log.{number}"));
        if path.exists() {
            compress(&path, self.written.is_multiple_of(2));
        }
    }
}

/// Writes the copy bit by bit, then removes the original.
fn compress(path: &Path, is_gzip: bool) {
    let text = fs::read(path).unwrap();
    let (extension, compressed) = if is_gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&text).unwrap();
        ("gz", encoder.finish().unwrap())
    } else {
        ("zst", zstd::encode_all(&text[..], 3).unwrap())
    };
    let mut file = fs::File::create(format!("{}.{extension}", path.display())).unwrap();
    for part in compressed.chunks(compressed.len() / 4 + 1) {
        file.write_all(part).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn nothing_is_lost_or_sent_twice_through_rotations_that_compress() {
    for delays in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let server = StandIn::start();
        let mut logs = Logs {
            folder: folder.path().to_owned(),
            written: 0,
            delays,
        };
        let ship = || ship(server.url(), folder.path(), "app.log*");
        for rotation in 0..ROTATIONS {
            logs.write(LINES);
            // Every third time nobody looks; otherwise it is killed somewhere on the way.
            let shipping = (rotation % 3 > 0)
                .then(|| Killed::start(ship().stdout(Stdio::null()).stderr(Stdio::null())));
            if rotation % 3 == 1 {
                let before = usize::try_from(logs.written - LINES / 2).unwrap();
                wait_for(&server, before);
            }
            logs.write(LINES + 1);
            logs.rotate();
            logs.write(LINES);
            drop(shipping);
        }
        let output = CommandOutput::of(ship().args(["--once", "--json"]));
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(output.err, "", "{output:?}");
        let expected: Vec<_> = (0..logs.written).collect();
        let stored = numbers(&server);
        let missing: Vec<_> = expected
            .iter()
            .filter(|number| stored.binary_search(number).is_err())
            .collect();
        assert!(
            missing.is_empty() && stored.len() == expected.len(),
            "delays: {delays}, {} of {} stored, missing: {missing:?}, {output:?}",
            stored.len(),
            expected.len()
        );
        let files = fs::read_dir(folder.path()).unwrap().count() as u64;
        assert!(files > ROTATIONS, "{files}");

        let output = CommandOutput::of(ship().args(["--once", "--json"]));
        assert_eq!(output.json()["stored"], 0, "{output:?}");
    }
}

#[test]
fn a_pattern_of_compressed_files_alone_delivers_them_and_reports_damage() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::start();
    for n in 0..3 {
        let path = folder.path().join(format!("app.log.{n}"));
        fs::write(&path, (n * 10..n * 10 + 10).map(line).collect::<String>()).unwrap();
        compress(&path, true);
    }
    let once =
        || CommandOutput::of(ship(server.url(), folder.path(), "*.gz").args(["--once", "--json"]));
    let output = once();
    assert_eq!(
        (output.code, output.err.as_str()),
        (Some(0), ""),
        "{output:?}"
    );
    assert_eq!(numbers(&server), (0..30).collect::<Vec<_>>());

    let path = folder.path().join("app.log.3");
    fs::write(&path, (30..40).map(line).collect::<String>()).unwrap();
    compress(&path, true);
    let path = folder.path().join("app.log.3.gz");
    let compressed = fs::read(&path).unwrap();
    fs::write(&path, &compressed[..compressed.len() - 8]).unwrap();
    let output = once();
    assert_eq!(output.code, Some(7), "{output:?}");
    let unreadable = &output.json()["unreadable"][0];
    assert_eq!(unreadable["path"], json!(path));
    let why = unreadable["why"].as_str().unwrap();
    assert!(why.starts_with("the compressed data ends early; "), "{why}");
    assert_eq!(server.stored(), 40);

    fs::write(&path, compressed).unwrap();
    let output = once();
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(numbers(&server), (0..40).collect::<Vec<_>>());
}
