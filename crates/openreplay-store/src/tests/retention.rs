//! Old days are deleted.

use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::*;
use crate::Rejected;

#[test]
fn records_without_a_session_are_apart_for_a_day_after_they_arrived() {
    let folder = TempDir::new().unwrap();
    let text = json!({ "@timestamp": "2026-01-01", "message": "no session" }).to_string();
    let (store, _) = open_at(folder.path(), noon);
    write(&store, &[("a", text.clone())]);
    assert_eq!(store.sample(1).unwrap()[0].line, text);
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
    let store = builder.on_diagnostic(|_| {}).open().unwrap();
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
fn once_a_day_is_over_its_pending_records_are_moved_to_their_place() {
    static DAYS: AtomicU64 = AtomicU64::new(0);
    fn now() -> SystemTime {
        noon() + Duration::from_secs(DAYS.load(Ordering::Relaxed) * 24 * 60 * 60)
    }
    let folder = TempDir::new().unwrap();
    let (store, _) = open_at(folder.path(), now);
    write(&store, &[("a", line(7, NOON, "today"))]);
    let pending = || {
        let file = rusqlite::Connection::open(folder.path().join("2026-07-01.sqlite")).unwrap();
        let count = "SELECT count(*) FROM landing";
        file.query_row(count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    store.tidy();
    assert_eq!(pending(), 1);
    DAYS.store(1, Ordering::Relaxed);
    store.tidy();
    assert_eq!(pending(), 0);
    assert_eq!(ids(&store, 7), ["a"]);
    assert_eq!(store.total(), 1);
}

#[test]
fn files_that_were_set_aside_are_deleted_with_their_day() {
    const DAY: u64 = 24 * 60 * 60;
    let folder = TempDir::new().unwrap();
    let builder = Store::builder(folder.path()).at(noon).max_bytes(1_500_000);
    let store = builder.on_diagnostic(|_| {}).open().unwrap();
    let aside = |name: &str| fs::write(folder.path().join(name), vec![b'x'; 600_000]).unwrap();
    aside("damaged-2026-06-16.sqlite");
    aside("damaged-2-2026-06-16.sqlite-wal");
    aside("damaged-2026-06-17.sqlite");
    aside("damaged-2026-07-01.sqlite");
    aside("damaged-notes.txt");
    store.tidy();
    let left = |name: &str| folder.path().join(name).exists();
    assert!(!left("damaged-2026-06-16.sqlite"), "too old");
    assert!(!left("damaged-2-2026-06-16.sqlite-wal"), "too old");
    assert!(left("damaged-2026-06-17.sqlite"));
    write(&store, &[("a", line(7, NOON - DAY, &"x".repeat(500_000)))]);
    store.tidy();
    assert!(!left("damaged-2026-06-17.sqlite"), "too much");
    assert!(left("damaged-2026-07-01.sqlite") && left("damaged-notes.txt"));
    assert_eq!(ids(&store, 7), ["a"]);
}

#[test]
fn above_the_limit_the_records_of_today_without_a_session_are_deleted_first() {
    let folder = TempDir::new().unwrap();
    let builder = Store::builder(folder.path()).at(noon).max_bytes(3_000_000);
    let store = builder.on_diagnostic(|_| {}).open().unwrap();
    write(&store, &[("a", line(7, NOON, &"x".repeat(500_000)))]);
    for nth in 0..20 {
        let text = json!({ "message": "x".repeat(300_000) }).to_string();
        let outcomes = write(&store, &[(&nth.to_string(), text)]);
        assert!(outcomes[0].is_stored(), "{outcomes:?}");
    }
    assert!(store.total() < 20, "none was deleted");
    assert_eq!(ids(&store, 7), ["a"]);
}

#[test]
fn a_day_whose_database_cannot_be_deleted_keeps_its_write_ahead_log() {
    let folder = TempDir::new().unwrap();
    let (store, reports) = open_at(folder.path(), noon);
    let path = folder.path().join("2026-05-01.sqlite");
    // a folder is no file that can be deleted
    fs::create_dir(&path).unwrap();
    let log = folder.path().join("2026-05-01.sqlite-wal");
    fs::write(&log, "commits").unwrap();
    store.tidy();
    assert!(log.exists());
    let reports = reports.lock().unwrap();
    assert!(
        reports[0].contains("2026-05-01.sqlite cannot be deleted"),
        "{reports:?}"
    );
}

#[test]
fn a_damaged_file_of_today_makes_room_before_the_store_is_full() {
    let folder = TempDir::new().unwrap();
    let damaged = folder.path().join("damaged-2026-07-01.sqlite");
    fs::write(&damaged, vec![0; 2_000_000]).unwrap();
    let builder = Store::builder(folder.path()).at(noon).max_bytes(1_000_000);
    let store = builder.on_diagnostic(|_| {}).open().unwrap();
    store.tidy();
    assert!(!damaged.exists());
    let outcomes = write(&store, &[("a", line(7, NOON, "paid"))]);
    assert!(matches!(&outcomes[..], [Outcome::Created]), "{outcomes:?}");
    store.tidy();
    assert_eq!(ids(&store, 7), ["a"]);
}
