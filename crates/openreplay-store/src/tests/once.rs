//! Records that are sent again are stored once.

use std::slice;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

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
fn records_that_wait_compressed_are_found_and_compared() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let many: Vec<_> = (0..2_000).map(|nth| format!("{nth:04}")).collect();
    let text = "an order was paid, as ever ".repeat(10);
    let line = |session, second| line(session, NOON + second, &text);
    let many: Vec<_> = many.iter().map(|id| (&**id, line(1, 0))).collect();
    write(&store, &many);

    let both = line(7, 0).replace("paid", "paid openReplaySession.id=8");
    let mut batch = Batch::new();
    batch.create(Some("both"), both.clone());
    batch.index(Some("one"), line(7, 1));
    batch.index(Some("one"), line(7, 1));
    batch.index(Some("one"), line(7, 1).replace("info", "error"));
    let outcomes = store.write(batch).unwrap();
    assert!(matches!(
        &outcomes[..],
        [
            Outcome::Created,
            Outcome::Created,
            Outcome::Unchanged,
            Outcome::Exists
        ]
    ));
    let day = rusqlite::Connection::open(folder.path().join("2026-07-01.sqlite")).unwrap();
    let kinds = "SELECT group_concat(typeof(line) ORDER BY session, time) FROM landing";
    let kinds: String = day.query_row(kinds, [], |row| row.get(0)).unwrap();
    assert_eq!(kinds, "blob,blob,integer");

    let reader = Store::builder(folder.path()).open_to_read().unwrap();
    for store in [&store, &reader] {
        for (session, lines) in [(7, vec![both.clone(), line(7, 1)]), (8, vec![both.clone()])] {
            let found = store.session(&SessionId::from(session), 10).unwrap();
            let found: Vec<_> = found.into_iter().map(|record| record.line).collect();
            assert_eq!(found, lines);
        }
        let mut exported = BTreeSet::new();
        store
            .export(|record| {
                exported.insert(record.line);
                Ok::<_, crate::Error>(())
            })
            .unwrap();
        assert_eq!(exported, [line(1, 0), both.clone(), line(7, 1)].into());
    }
    let mut batch = Batch::new();
    batch.index(Some("one"), line(7, 1));
    batch.index(Some("one"), line(7, 1).replace("info", "error"));
    let outcomes = store.write(batch).unwrap();
    assert!(matches!(
        &outcomes[..],
        [Outcome::Unchanged, Outcome::Exists]
    ));
    assert_eq!(store.total(), 2_002);
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
fn a_record_without_a_time_is_found_after_the_clock_was_set_back_over_midnight() {
    let folder = TempDir::new().unwrap();
    for text in ["[openReplaySession.id=7] m", "no session"] {
        let record = ("a", json!({ "message": text }).to_string());
        for (now, is_new) in [(next_day as fn() -> SystemTime, true), (noon, false)] {
            let (store, _) = open_at(folder.path(), now);
            let outcome = write(&store, slice::from_ref(&record)).remove(0);
            assert_eq!(matches!(outcome, Outcome::Created), is_new, "{text}");
        }
    }
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
                // more than goes to `landing`
                Step::Large(session) => (0..2_000).map(|record| {
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
