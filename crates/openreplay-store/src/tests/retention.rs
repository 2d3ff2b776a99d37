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
