//! What a session returns.

use tempfile::TempDir;

use super::*;

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

#[test]
fn an_export_reads_large_records_in_parts_and_returns_each_once() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let text = "openReplaySession.id=8".to_owned() + &" paid".repeat(1024 * 1024);
    let ids = ["a", "b", "c", "d", "e", "f", "g"];
    let records = ids.map(|id| (id, line(7, NOON, &text)));
    write(&store, &records);
    write(&store, &[("pending", line(7, NOON, "short"))]);
    let mut exported = Vec::new();
    store
        .export(|record| {
            exported.push(record.id);
            Ok::<_, crate::Error>(())
        })
        .unwrap();
    assert_eq!(exported, [&ids[..], &["pending"]].concat());
}

#[test]
fn some_record_is_found_behind_the_rows_of_its_further_sessions() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    write(&store, &[("a", line(8, NOON, "openReplaySession.id=7"))]);
    assert_eq!(store.sample(1).unwrap().len(), 1);
}

/// Both have the same `_id` and time.
#[test]
fn a_record_never_takes_the_place_of_another_in_one_of_its_sessions() {
    for is_large in [false, true] {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path());
        let long = "long ".repeat(200);
        let (alone, both) = (
            line(2, NOON, "alone"),
            line(1, NOON, "openReplaySession.id=2"),
        );
        write(&store, &[("x", alone.clone())]);
        let mut batch = vec![("x".to_owned(), both.clone())];
        if is_large {
            // goes past `landing`
            batch.extend((0..600).map(|nth| (format!("{nth}"), line(3, NOON, &long))));
        }
        let batch: Vec<_> = batch
            .iter()
            .map(|(id, line)| (&**id, line.clone()))
            .collect();
        assert!(write(&store, &batch).iter().all(Outcome::is_stored));
        let texts = |store: &Store, session: u64| -> Vec<_> {
            let found = store.session(&session.into(), 10).unwrap();
            found.into_iter().map(|record| record.line).collect()
        };
        assert_eq!(texts(&store, 1), [&*both]);
        assert_eq!(texts(&store, 2), [&*alone]);
        drop(store);
        for _ in 0..2 {
            let store = open(folder.path());
            assert_eq!(texts(&store, 1), [&*both]);
            assert_eq!(texts(&store, 2), [&*alone], "large: {is_large}");
            // moves what is pending
            write(&store, &[("y", line(4, NOON, &long.repeat(500)))]);
        }
    }
}
