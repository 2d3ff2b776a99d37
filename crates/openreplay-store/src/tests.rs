//! The store over real files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::slice;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openreplay_session::SessionId;
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use crate::{Batch, Outcome, Rejected, Store};

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
        .on_report(move |text| heard.lock().unwrap().push(text.to_owned()))
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

#[test]
fn a_session_comes_back_in_time_order_with_ties_by_id() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let records = [
        ("c", line(7, NOON - 10, "second")),
        ("b", line(7, NOON - 10, "first of the same time")),
        ("z", line(7, NOON - 100_000, "yesterday")),
        ("a", line(7, NOON, "last")),
        ("a", line(8, NOON, "another session")),
    ];
    assert!(
        write(&store, &records)
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Created))
    );
    assert_eq!(ids(&store, 7), ["z", "b", "c", "a"]);
    let two = store.session(&SessionId::from(7), 2).unwrap();
    assert_eq!(two[0].line, records[2].1);
    assert_eq!(
        two[1].time,
        i64::try_from(NOON - 10).unwrap() * 1_000_000_000
    );
    assert_eq!(store.count(&SessionId::from(7)).unwrap(), 4);
    assert_eq!(store.total(), 5);
    assert_eq!(
        store.session(&"checkout-7".parse().unwrap(), 10).unwrap(),
        []
    );
    assert_eq!(
        names(folder.path()).into_iter().collect::<Vec<_>>(),
        ["2026-06-30.sqlite", "2026-07-01.sqlite"]
    );
}

/// Large batches go past `landing`.
#[test]
fn a_large_batch_finds_what_is_there_and_what_it_has_twice() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let long = "long ".repeat(200);
    let there = line(7, NOON, "there");
    assert!(write(&store, &[("pending", there.clone())])[0].is_stored());

    let batch = || {
        let mut batch = Batch::new();
        for number in 0..600 {
            batch.create(Some(&format!("n{number}")), line(7, NOON - number, &long));
        }
        batch.create(Some("pending"), there.clone());
        batch.index(Some("pending"), there.clone());
        batch.index(Some("pending"), line(7, NOON, "other"));
        batch.create(Some("twice"), line(7, NOON, "twice"));
        batch.create(Some("twice"), line(7, NOON, "twice"));
        batch.index(Some("twice"), line(7, NOON, "twice"));
        batch.index(Some("twice"), line(7, NOON, "not the same"));
        let two = "[openReplaySession.id=9] [openReplaySession.id=8] both";
        let two = json!({"@timestamp": NOON * 1_000, "message": two}).to_string();
        batch.create(Some("both"), two);
        batch.create(Some("timeless"), r#"{"message":"openReplaySession.id=9"}"#);
        batch
    };
    let outcomes = store.write(batch()).unwrap();
    let shown = |outcomes: &[Outcome]| {
        let letter = |outcome: &Outcome| match outcome {
            Outcome::Created => 'c',
            Outcome::Exists => 'e',
            Outcome::Unchanged => 'u',
            _ => '?',
        };
        outcomes.iter().map(letter).collect::<String>()
    };
    assert_eq!(shown(&outcomes[..600]), "c".repeat(600));
    assert_eq!(shown(&outcomes[600..]), "eueceuecc");
    assert_eq!(store.total(), 1 + 600 + 1 + 2);
    assert_eq!(ids(&store, 8), ["both"]);
    assert_eq!(ids(&store, 9), ["both", "timeless"]);

    drop(store);
    let store = open(folder.path());
    let outcomes = store.write(batch()).unwrap();
    assert_eq!(shown(&outcomes[..600]), "e".repeat(600));
    assert_eq!(shown(&outcomes[600..]), "eueeeueee");
    assert_eq!(store.total(), 1 + 600 + 1 + 2);
    assert_eq!(store.session(&7.into(), 1_000).unwrap().len(), 602);
}

#[test]
fn a_record_is_found_under_each_session_that_it_names() {
    let folder = TempDir::new().unwrap();
    let max = u64::MAX;
    let text = line(7, NOON, &format!("merged openReplaySession.id={max}"));
    for round in 0..2 {
        let store = open(folder.path());
        let outcome = write(&store, &[("a", text.clone())]).remove(0);
        assert_eq!(matches!(outcome, Outcome::Created), round == 0);
        for session in [7, max] {
            let found = store.session(&SessionId::from(session), 10).unwrap();
            assert_eq!((found.len(), &found[0].line), (1, &text));
        }
        assert_eq!(store.total(), 1);
    }
}

#[test]
fn what_is_sent_again_exists_in_memory_on_disk_and_in_one_batch() {
    let folder = TempDir::new().unwrap();
    let record = ("a", line(7, NOON, "once"));
    let store = open(folder.path());
    let outcomes = write(&store, &[record.clone(), record.clone()]);
    assert!(matches!(&outcomes[..], [Outcome::Created, Outcome::Exists]));
    assert!(matches!(
        &write(&store, slice::from_ref(&record))[..],
        [Outcome::Exists]
    ));
    drop(store);
    let store = open(folder.path());
    assert!(matches!(
        &write(&store, slice::from_ref(&record))[..],
        [Outcome::Exists]
    ));

    let mut batch = Batch::new();
    batch.index(Some("a"), record.1);
    batch.index(Some("a"), line(7, NOON, "different"));
    batch.index(Some("b"), line(7, NOON, "new"));
    let outcomes = store.write(batch).unwrap();
    assert!(matches!(
        &outcomes[..],
        [Outcome::Unchanged, Outcome::Exists, Outcome::Created]
    ));
    assert_eq!(ids(&store, 7), ["a", "b"]);
}

#[test]
fn a_record_without_a_time_keeps_that_of_its_first_arrival() {
    let folder = TempDir::new().unwrap();
    for (session, text) in [
        (Some(7), "[openReplaySession.id=7] m"),
        (None, "no session"),
    ] {
        let record = ("a", json!({ "message": text }).to_string());
        for (now, is_new) in [
            (noon as fn() -> SystemTime, true),
            (noon, false),
            (next_day, false),
        ] {
            let (store, _) = open_at(folder.path(), now);
            let outcome = write(&store, slice::from_ref(&record)).remove(0);
            assert_eq!(matches!(outcome, Outcome::Created), is_new, "{text}");
            if let Some(session) = session {
                let found = store.session(&SessionId::from(session), 10).unwrap();
                let first = i64::try_from(NOON).unwrap() * 1_000_000_000;
                assert_eq!((found.len(), found[0].time), (1, first));
            }
        }
    }
}

#[test]
fn records_without_a_session_are_apart_for_a_day_after_they_arrived() {
    let folder = TempDir::new().unwrap();
    let text = json!({ "@timestamp": "2026-01-01", "message": "no session" }).to_string();
    let (store, _) = open_at(folder.path(), noon);
    write(&store, &[("a", text.clone())]);
    assert_eq!(store.some(1).unwrap()[0].line, text);
    drop(store);
    // sent again after midnight
    let (store, _) = open_at(folder.path(), next_day);
    store.tidy();
    assert!(matches!(
        &write(&store, &[("a", text)])[..],
        [Outcome::Exists]
    ));
    assert!(names(folder.path()).contains("2026-07-01-no-session.sqlite"));
    drop(store);
    let later = || noon() + Duration::from_secs(2 * 24 * 60 * 60);
    let (store, _) = open_at(folder.path(), later);
    store.tidy();
    assert_eq!(store.total(), 0);
    assert_eq!(names(folder.path()).len(), 0);
}

#[test]
fn whole_days_are_deleted_once_their_records_are_too_old() {
    const DAY: u64 = 24 * 60 * 60;
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let outcomes = write(
        &store,
        &[
            (
                "a",
                line(u64::MAX, NOON - 14 * DAY, "the oldest that is kept"),
            ),
            ("b", line(7, NOON - 15 * DAY, "too old")),
            ("c", line(7, NOON + DAY, "a clock that is ahead")),
            ("d", line(7, NOON + DAY + 1, "too far ahead")),
        ],
    );
    assert!(matches!(
        &outcomes[..],
        [
            Outcome::Created,
            Outcome::Rejected(Rejected::TooOld),
            Outcome::Created,
            Outcome::Rejected(Rejected::TooNew),
        ]
    ));
    drop(store);
    let (store, _) = open_at(folder.path(), next_day);
    store.tidy();
    assert_eq!(ids(&store, u64::MAX), [""; 0]);
    assert_eq!(
        names(folder.path()).into_iter().collect::<Vec<_>>(),
        ["2026-07-02.sqlite"]
    );
}

#[test]
fn above_its_limit_the_earliest_days_are_deleted_and_today_fills_up() {
    const DAY: u64 = 24 * 60 * 60;
    let folder = TempDir::new().unwrap();
    let builder = Store::builder(folder.path()).at(noon).max_bytes(1_000_000);
    let store = builder.on_report(|_| {}).open().unwrap();
    let text = "x".repeat(100_000);
    write(
        &store,
        &[
            ("a", line(7, NOON - 2 * DAY, &text)),
            ("b", line(7, NOON - DAY, &text)),
        ],
    );
    let mut filled = 0;
    let full = loop {
        let record = (&*format!("c{filled}"), line(7, NOON, &text));
        match write(&store, &[record]).remove(0) {
            Outcome::Created => filled += 1,
            outcome => break outcome,
        }
        assert!(filled < 50, "the limit is not kept");
    };
    assert!(matches!(full, Outcome::Failed(error) if error.is_full()));
    assert_eq!(
        names(folder.path()).into_iter().collect::<Vec<_>>(),
        ["2026-07-01.sqlite"]
    );
    assert_eq!(ids(&store, 7).len(), filled);
}

#[test]
fn one_process_at_a_time_writes_and_the_others_learn_which() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let error = Store::open(folder.path()).unwrap_err();
    assert!(error.is_locked());
    let holder = format!("is in use by process {} (", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    write(&store, &[("a", line(7, NOON, "m"))]);
    let reader = Store::builder(folder.path()).open_to_read().unwrap();
    assert_eq!(ids(&reader, 7), ["a"]);
    assert!(reader.write(Batch::new()).unwrap_err().is_closed());
    drop(store);
    assert_eq!(ids(&open(folder.path()), 7), ["a"]);
}

#[test]
fn a_damaged_day_is_set_aside_and_the_others_keep_working() {
    const DAY: u64 = 24 * 60 * 60;
    let folder = TempDir::new().unwrap();
    let good = ("a", line(7, NOON - DAY, "yesterday"));
    write(
        &open(folder.path()),
        &[good.clone(), ("b", line(7, NOON, "today"))],
    );
    let today = folder.path().join("2026-07-01.sqlite");
    fs::write(&today, vec![b'x'; 40_000]).unwrap();
    let (store, reports) = open_at(folder.path(), noon);
    assert_eq!(ids(&store, 7), ["a"]);
    assert_eq!(reports.lock().unwrap().len(), 1);
    assert!(folder.path().join("damaged-2026-07-01.sqlite").exists());
    write(&store, &[("c", line(7, NOON, "a new file"))]);
    assert_eq!(ids(&store, 7), ["a", "c"]);
}

#[test]
fn damage_that_a_query_meets_is_set_aside_too() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let text = "x".repeat(2_000);
    let records: Vec<_> = (0..2_000)
        .map(|nth| (format!("{nth}"), line(nth, NOON, &text)))
        .collect();
    let records: Vec<_> = records
        .iter()
        .map(|(id, line)| (&**id, line.clone()))
        .collect();
    write(&store, &records);
    drop(store);
    let path = folder.path().join("2026-07-01.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let whole = bytes.len();
    bytes[whole / 2..].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let (store, reports) = open_at(folder.path(), noon);
    for session in 0..2_000 {
        let _ = ids(&store, session);
    }
    store.tidy();
    assert!(
        reports.lock().unwrap()[0].contains("is damaged"),
        "{reports:?}"
    );
    assert!(folder.path().join("damaged-2026-07-01.sqlite").exists());
    assert!(matches!(
        &write(&store, &[("a", line(7, NOON, "m"))])[..],
        [Outcome::Created]
    ));
}

#[test]
fn many_records_are_compressed_and_come_back_as_they_were() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let lines: Vec<_> = (0..5_000)
        .map(|nth| {
            (
                format!("{nth:05}"),
                line(nth % 50, NOON + nth, "an order was paid, as ever"),
            )
        })
        .collect();
    let records: Vec<_> = lines
        .iter()
        .map(|(id, line)| (&**id, line.clone()))
        .collect();
    write(&store, &records);
    for (id, line) in &lines {
        let nth: u64 = id.parse().unwrap();
        if nth < 50 {
            let found = store.session(&SessionId::from(nth), 1_000).unwrap();
            assert_eq!((found.len(), &found[0].line), (100, line));
        }
    }
    let mut exported = BTreeSet::new();
    store
        .export(|record| {
            exported.insert((record.id, record.line));
            Ok::<_, crate::Error>(())
        })
        .unwrap();
    assert_eq!(exported, lines.into_iter().collect());
    assert_eq!(store.total(), 5_000);
    drop(store);
    let size = fs::metadata(folder.path().join("2026-07-01.sqlite"))
        .unwrap()
        .len();
    assert!(size < 600_000, "{size} bytes for 5,000 records");
}

/// What a model expects of records that are sent in any order and any number of times, with
/// restarts in between.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(u8, u8, u8)>),
    Large(u8),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let record = (0..3_u8, 0..4_u8, 0..6_u8);
    let step = prop_oneof![
        6 => prop::collection::vec(record, 1..8).prop_map(Step::Write),
        1 => (0..3_u8).prop_map(Step::Large),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_history_stores_each_record_once_and_in_order(steps in steps()) {
        let folder = TempDir::new().unwrap();
        let mut store = open(folder.path());
        let mut model = BTreeSet::new();
        for (nth, step) in steps.into_iter().enumerate() {
            let records: Vec<_> = match step {
                Step::Write(records) => records.into_iter().map(|(session, second, id)| {
                    (u64::from(session), NOON - 43_200 - 2 + u64::from(second), format!("{id}"))
                }).collect(),
                // more than waits in `landing`
                Step::Large(session) => (0..1_500).map(|record| {
                    (u64::from(session), NOON, format!("{nth}-{record:04}"))
                }).collect(),
                Step::Restart => {
                    drop(store);
                    store = open(folder.path());
                    continue;
                }
            };
            let lines: Vec<_> = records.iter().map(|(session, second, id)| {
                (&**id, line(*session, *second, &"x".repeat(200)))
            }).collect();
            let outcomes = write(&store, &lines);
            for (record, outcome) in records.into_iter().zip(outcomes) {
                let is_new = model.insert(record);
                prop_assert_eq!(matches!(outcome, Outcome::Created), is_new);
            }
            for session in 0..3 {
                let expected: Vec<_> = model.iter().filter(|record| record.0 == session).collect();
                let found = store.session(&SessionId::from(session), 10_000).unwrap();
                let expected: Vec<_> = expected.into_iter().map(|record| &record.2).collect();
                prop_assert_eq!(found.iter().map(|record| &record.id).collect::<Vec<_>>(), expected);
                let count = store.count(&SessionId::from(session)).unwrap();
                prop_assert_eq!(count, found.len() as u64);
            }
            prop_assert_eq!(store.total(), model.len() as u64);
        }
    }
}
