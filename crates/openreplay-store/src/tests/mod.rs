//! The store over real files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openreplay_session::SessionId;
use serde_json::json;

use crate::{Batch, Outcome, Store};

mod damage;
mod folder;
mod once;
mod retention;
mod sessions;

/// Noon of 2026-07-01.
const NOON: u64 = 1_782_907_200;

fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOON)
}

fn next_day() -> SystemTime {
    noon() + Duration::from_secs(24 * 60 * 60)
}

type Reports = Arc<Mutex<Vec<String>>>;

fn open_at(folder: &Path, now: fn() -> SystemTime) -> (Store, Reports) {
    let reports = Reports::default();
    let heard = Arc::clone(&reports);
    let builder = Store::builder(folder).at(now);
    let store = builder
        .on_diagnostic(move |text| heard.lock().unwrap().push(text.to_owned()))
        .open();
    (store.unwrap(), reports)
}

fn open(folder: &Path) -> Store {
    open_at(folder, noon).0
}

fn line(session: u64, second: u64, text: &str) -> String {
    json!({
        "@timestamp": (second * 1_000).to_string(),
        "level": "info",
        "message": format!("[openReplaySession.id={session}] {text}"),
    })
    .to_string()
}

fn write(store: &Store, records: &[(&str, String)]) -> Vec<Outcome> {
    let mut batch = Batch::new();
    for (id, line) in records {
        batch.create(Some(id), line.clone());
    }
    store.write(batch).unwrap()
}

fn ids(store: &Store, session: u64) -> Vec<String> {
    let found = store.session(&SessionId::from(session), 1_000).unwrap();
    found.into_iter().map(|record| record.id).collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".sqlite")).collect()
}
