use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A file is not complained of again within this time, though it can be read in between.
const QUIET: Duration = Duration::from_secs(600);
/// How many files are named within a [`MINUTE`].
const NAMED: u32 = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// A file, or a folder of files, that cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// Where it is.
    pub path: PathBuf,
    /// What the system says, or what is wrong with it.
    pub why: String,
}

/// What cannot be read for now: said once a path, and tried again.
#[derive(Debug)]
pub(super) struct Troubles {
    paths: BTreeMap<PathBuf, Trouble>,
    /// What is to be said.
    news: Vec<String>,
    since: Instant,
    named: u32,
    unnamed: u64,
}

#[derive(Debug)]
struct Trouble {
    why: String,
    said: Instant,
    is_there: bool,
    /// It is not tried again.
    is_final: bool,
}

impl Troubles {
    pub(super) fn new() -> Self {
        Self {
            paths: BTreeMap::new(),
            news: Vec::new(),
            since: Instant::now(),
            named: 0,
            unnamed: 0,
        }
    }

    /// Whatever is still wrong is found again.
    pub(super) fn start(&mut self) {
        let now = Instant::now();
        self.paths
            .retain(|_, trouble| trouble.is_there || now.duration_since(trouble.said) < QUIET);
        for trouble in self.paths.values_mut() {
            trouble.is_there = trouble.is_final;
        }
    }

    pub(super) fn add(&mut self, path: &Path, why: &dyn ToString) {
        let why = why.to_string();
        if let Some(known) = self.paths.get_mut(path) {
            known.is_there = true;
            known.why = why;
            return;
        }
        self.say(path, &why);
        let trouble = Trouble {
            why,
            said: Instant::now(),
            is_there: true,
            is_final: false,
        };
        self.paths.insert(path.to_owned(), trouble);
    }

    /// What is not tried again: it stays in the list.
    pub(super) fn add_for_good(&mut self, path: &Path, why: &dyn ToString) {
        self.add(path, why);
        if let Some(trouble) = self.paths.get_mut(path) {
            trouble.is_final = true;
        }
    }

    /// Whether there was trouble with it lately.
    pub(super) fn knows(&self, path: &Path) -> bool {
        self.paths.contains_key(path)
    }

    fn say(&mut self, path: &Path, why: &str) {
        if self.since.elapsed() > MINUTE {
            (self.since, self.named) = (Instant::now(), 0);
        }
        if self.named == NAMED {
            self.unnamed += 1;
            return;
        }
        self.named += 1;
        let text = format!("{} cannot be read ({why}); going on", path.display());
        self.news.push(text);
    }

    /// Says what is no trouble yet.
    pub(super) fn note(&mut self, text: String) {
        self.news.push(text);
    }

    /// What has not been said yet.
    pub(super) fn news(&mut self) -> Vec<String> {
        let mut news = std::mem::take(&mut self.news);
        if self.unnamed > 0 {
            news.push(format!("{} more files cannot be read", self.unnamed));
            self.unnamed = 0;
        }
        news
    }

    pub(super) fn list(&self) -> Vec<Unreadable> {
        let there = self.paths.iter().filter(|(_, trouble)| trouble.is_there);
        there
            .map(|(path, trouble)| Unreadable {
                path: path.clone(),
                why: trouble.why.clone(),
            })
            .collect()
    }
}
