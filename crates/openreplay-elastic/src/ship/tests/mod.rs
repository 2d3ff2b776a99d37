use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::files::Files;
use super::hash::HASH;
use super::lines::Framed;
use super::mode::Mode;
use super::position::Part;

mod any;
mod closed;
mod compressed;
mod containers;
mod copies;
mod found;
mod in_flight;
mod lines;
mod missing;
mod once;
mod pieces;
mod rotated;

const BANNER: &str = "{\"banner\":true}\n";

/// Returns the framed documents, each after its `_id`.
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

/// Scans, reads everything, and marks it as delivered.
fn take(files: &mut Files, mode: Mode) -> Vec<String> {
    files.scan(mode);
    let mut taken = Vec::new();
    while let Some(framed) = files.fill(1 << 20) {
        files.mark_delivered(&framed.parts);
        taken.extend(documents(&framed).into_iter().map(|(_, document)| document));
    }
    taken
}

/// Returns what was in flight before, the parts that are lost, and the parts that wait.
fn reread(files: &mut Files, parts: &[Part]) -> (Framed, Vec<Part>, Vec<Part>) {
    let reread = files.reread(parts);
    (reread.framed, reread.lost, reread.waiting)
}

struct Folder {
    folder: tempfile::TempDir,
    files: Files,
}

impl Folder {
    fn new(pattern: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pattern = folder.path().join(pattern).into_os_string();
        let files = Files::new(&[pattern], Vec::new(), HASH).unwrap();
        Self { folder, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        append(&self.path(name), text);
    }

    fn take(&mut self) -> Vec<String> {
        take(&mut self.files, Mode::Follow)
    }

    fn take_once(&mut self) -> Vec<String> {
        take(&mut self.files, Mode::Once)
    }

    /// Reads everything, which is in flight for now.
    fn fill(&mut self) -> Framed {
        self.files.scan(Mode::Follow);
        self.files.fill(1 << 20).unwrap()
    }

    /// Restarts as after a crash: only the checkpoint's content is known.
    fn restart(&mut self, pattern: &str) {
        let pattern = self.path(pattern).into_os_string();
        self.files = Files::new(&[pattern], self.files.positions(), HASH).unwrap();
    }
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
