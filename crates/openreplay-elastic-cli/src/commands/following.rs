//! What `ship` reports while it follows files: a line for each change of state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use openreplay_elastic::ship::{Event, Health, Progress};
use openreplay_record::panel::RecordFault;
use serde_json::{Value, json};

use super::notify::Notifier;
use crate::print;

/// How many files the first line names.
const NAMED: usize = 3;

#[derive(Debug)]
pub(super) struct Reports {
    /// The address that the records are sent to.
    url: String,
    /// Print an object per change on standard output.
    json: bool,
    manager: Notifier,
    health: Health,
    unreadable: BTreeMap<PathBuf, String>,
    faults: BTreeSet<RecordFault>,
}

impl Reports {
    pub(super) fn new(url: String, json: bool) -> Self {
        Self {
            url,
            json,
            manager: Notifier::from_env(),
            health: Health::default(),
            unreadable: BTreeMap::new(),
            faults: BTreeSet::new(),
        }
    }

    pub(super) fn report(&mut self, event: &Event<'_>) {
        match event {
            Event::Started {
                files, progress, ..
            } => self.started(files, progress),
            Event::Progress(progress) => self.progress(progress),
            Event::Health(health) => self.changed(health),
            _ => {}
        }
    }

    fn started(&mut self, files: &[PathBuf], progress: &Progress) {
        print::note(&format!(
            "following {}: {} bytes, {} of them already delivered; sending the remaining and new lines to {}",
            names(files),
            progress.bytes,
            progress.bytes_done,
            self.url
        ));
        let files: Vec<_> = files.iter().map(|path| shown(path)).collect();
        self.print(&json!({
            "event": "started",
            "files": files,
            "bytes": progress.bytes,
            "bytes_done": progress.bytes_done,
            "url": self.url,
        }));
        self.manager.send(&format!(
            "READY=1\nSTATUS=following {}",
            print::count(files.len() as u64, "file", "files")
        ));
        self.progress(progress);
    }

    /// Faults of records, unreadable files and the health are already reported on standard error.
    fn progress(&mut self, progress: &Progress) {
        self.report_faults(progress);
        self.report_unreadable(progress);
        if self.health == Health::Working {
            let unreadable = match self.unreadable.len() as u64 {
                0 => String::new(),
                count => format!(
                    ", {}",
                    print::count(count, "file cannot be read", "files cannot be read")
                ),
            };
            let stored = print::count(progress.stored, "record stored", "records stored");
            let (done, bytes) = (progress.bytes_done, progress.bytes);
            self.manager.send(&format!(
                "STATUS=working: {stored}, {done} of {bytes} bytes delivered{unreadable}"
            ));
        }
    }

    fn report_faults(&mut self, progress: &Progress) {
        for fault in progress.faults.keys() {
            if self.faults.insert(*fault) {
                self.print(&json!({
                    "event": "fault",
                    "fault": fault.name(),
                    "hint": fault.is_hint(),
                    "text": format!("records {}", fault.text()),
                    "remedy": fault.remedy(),
                }));
            }
        }
    }

    fn report_unreadable(&mut self, progress: &Progress) {
        let now = progress.unreadable.iter();
        let now: BTreeMap<_, _> = now
            .map(|file| (file.path.clone(), file.reason.clone()))
            .collect();
        let before = std::mem::replace(&mut self.unreadable, now.clone());
        for (path, reason) in &now {
            if !before.contains_key(path) {
                self.print(&json!({"event": "unreadable", "path": shown(path), "reason": reason}));
            }
        }
        for path in before.keys().filter(|path| !now.contains_key(*path)) {
            self.print(&json!({"event": "readable", "path": shown(path)}));
        }
    }

    fn changed(&mut self, health: &Health) {
        self.health = health.clone();
        match health {
            Health::Failing(text) => {
                self.print(&json!({"event": "failing", "text": text}));
                // A line feed would begin a message of its own to the service manager.
                let text = print::one_line(text);
                self.manager.send(&format!("STATUS=failing: {text}"));
            }
            _ => {
                self.print(&json!({"event": "working"}));
                self.manager.send("STATUS=working");
            }
        }
    }

    fn print(&self, event: &Value) {
        if self.json {
            // A reader that closed the pipe must not stop the delivery.
            let _ = print::json(event);
        }
    }
}

fn names(files: &[PathBuf]) -> String {
    let named = files.iter().take(NAMED);
    let named: Vec<_> = named.map(|path| print::path(path)).collect();
    match files.len() {
        0 => "no file yet".to_owned(),
        count if count > NAMED => format!("{} and {} more", named.join(", "), count - NAMED),
        _ => named.join(", "),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
