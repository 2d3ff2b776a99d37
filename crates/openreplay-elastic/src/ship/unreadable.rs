use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Within this time, a file is not reported again, even if it could be read in between.
const QUIET: Duration = Duration::from_secs(600);
/// How many files are reported by name within a [`MINUTE`].
const NAMED: u32 = 20;
/// How many of the paths that are left out are remembered.
const LEFT_OUT: usize = 100_000;
const MINUTE: Duration = Duration::from_secs(60);

/// A file, or a folder of files, that cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The path of the file or folder.
    pub path: PathBuf,
    /// The system's error, or another reason.
    pub reason: String,
}

/// The files that cannot be read for now. Each path is reported once, and retried.
#[derive(Debug)]
pub(super) struct Problems {
    paths: BTreeMap<PathBuf, Problem>,
    /// The messages that the operator has not seen yet.
    messages: Vec<String>,
    left_out: BTreeSet<PathBuf>,
    since: Instant,
    named: u32,
    unnamed: u64,
}

#[derive(Debug)]
struct Problem {
    reason: String,
    reported: Instant,
    is_there: bool,
    /// The path is not retried.
    is_final: bool,
}

impl Problems {
    pub(super) fn new() -> Self {
        Self {
            paths: BTreeMap::new(),
            messages: Vec::new(),
            left_out: BTreeSet::new(),
            since: Instant::now(),
            named: 0,
            unnamed: 0,
        }
    }

    /// Starts a scan, which finds again what still cannot be read.
    pub(super) fn start(&mut self) {
        let now = Instant::now();
        self.paths
            .retain(|_, problem| problem.is_there || now.duration_since(problem.reported) < QUIET);
        for problem in self.paths.values_mut() {
            problem.is_there = problem.is_final;
        }
    }

    pub(super) fn add(&mut self, path: &Path, reason: &dyn ToString) {
        let reason = reason.to_string();
        if let Some(known) = self.paths.get_mut(path) {
            known.is_there = true;
            known.reason = reason;
            return;
        }
        self.print(path, |path| {
            format!("{path} cannot be read ({reason}); continuing with the other files")
        });
        let problem = Problem {
            reason,
            reported: Instant::now(),
            is_there: true,
            is_final: false,
        };
        self.paths.insert(path.to_owned(), problem);
    }

    /// Adds a path that is not retried, and therefore stays in the list.
    pub(super) fn add_for_good(&mut self, path: &Path, reason: &dyn ToString) {
        self.add(path, reason);
        if let Some(problem) = self.paths.get_mut(path) {
            problem.is_final = true;
        }
    }

    /// Returns whether the path could not be read recently.
    pub(super) fn knows(&self, path: &Path) -> bool {
        self.paths.contains_key(path)
    }

    fn print(&mut self, path: &Path, text: impl FnOnce(std::path::Display<'_>) -> String) {
        if self.since.elapsed() > MINUTE {
            (self.since, self.named) = (Instant::now(), 0);
        }
        if self.named == NAMED {
            self.unnamed += 1;
            return;
        }
        self.named += 1;
        self.messages.push(text(path.display()));
    }

    /// Reports once that a pattern matches a path that is not followed.
    pub(super) fn leave_out(&mut self, path: &Path, reason: &str) {
        if self.left_out.len() < LEFT_OUT && self.left_out.insert(path.to_owned()) {
            self.print(path, |path| format!("{path} is skipped: {reason}"));
        }
    }

    /// Reports something that is not an error yet.
    pub(super) fn note(&mut self, text: String) {
        self.messages.push(text);
    }

    /// Returns the messages that the operator has not seen yet.
    pub(super) fn take_messages(&mut self) -> Vec<String> {
        let mut messages = std::mem::take(&mut self.messages);
        if self.unnamed > 0 {
            messages.push(format!(
                "{} more files cannot be read or are skipped",
                self.unnamed
            ));
            self.unnamed = 0;
        }
        messages
    }

    pub(super) fn list(&self) -> Vec<Unreadable> {
        let there = self.paths.iter().filter(|(_, problem)| problem.is_there);
        there
            .map(|(path, problem)| Unreadable {
                path: path.clone(),
                reason: problem.reason.clone(),
            })
            .collect()
    }
}
