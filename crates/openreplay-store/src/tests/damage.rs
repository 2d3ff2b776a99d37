//! Damaged files, and other processes.

use tempfile::TempDir;

use super::*;

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

/// Overwrites the first page of a table.
fn damage(folder: &Path, file: &str, table: &str) {
    const PAGE: usize = 4096;
    let path = folder.join(file);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let root: u32 = connection
        .query_row(root, [table], |row| row.get(0))
        .unwrap();
    connection.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[(root as usize - 1) * PAGE..][..PAGE].fill(0xee);
    fs::write(&path, bytes).unwrap();
}

fn timeless(text: &str) -> String {
    json!({ "message": text }).to_string()
}

#[test]
fn damage_where_a_retry_is_looked_up_keeps_no_record_from_being_stored() {
    let folder = TempDir::new().unwrap();
    write(&open(folder.path()), &[("a", timeless("no session"))]);
    let (store, reports) = open_at(folder.path(), next_day);
    let yesterday = folder.path().join("2026-07-01-no-session.sqlite");
    fs::write(yesterday, vec![b'x'; 40_000]).unwrap();
    let now = NOON + 24 * 60 * 60;
    let records = [
        ("b", timeless("no session")),
        ("c", line(7, now, "a session")),
    ];
    let outcomes = write(&store, &records);
    assert!(
        matches!(&outcomes[..], [Outcome::Created, Outcome::Created]),
        "{outcomes:?}"
    );
    assert!(
        folder
            .path()
            .join("damaged-2026-07-01-no-session.sqlite")
            .exists()
    );
    assert_eq!(reports.lock().unwrap().len(), 1);
}

#[test]
fn damage_where_times_of_arrival_are_kept_keeps_no_record_from_being_stored() {
    let folder = TempDir::new().unwrap();
    let text = "[openReplaySession.id=7] m";
    write(&open(folder.path()), &[("a", timeless(text))]);
    damage(folder.path(), "2026-07-01.sqlite", "arrival");
    let store = open(folder.path());
    let outcomes = write(&store, &[("b", timeless(text))]);
    assert!(matches!(&outcomes[..], [Outcome::Created]), "{outcomes:?}");
    assert!(folder.path().join("damaged-2026-07-01.sqlite").exists());
    assert_eq!(ids(&store, 7), ["b"]);
}

/// Writes 10 MiB in small batches, and returns how much was in `landing` at most.
fn write_much(folder: &Path, store: &Store) -> i64 {
    let text = "x".repeat(1_000);
    let landed = (0..100).map(|batch| {
        let records: Vec<_> = (0..100)
            .map(|nth| (format!("{batch}-{nth}"), line(nth, NOON, &text)))
            .collect();
        let records: Vec<_> = records
            .iter()
            .map(|(id, line)| (&**id, line.clone()))
            .collect();
        assert!(write(store, &records).iter().all(Outcome::is_stored));
        let file = rusqlite::Connection::open(folder.join("2026-07-01.sqlite")).unwrap();
        let sum = "SELECT coalesce(sum(length(line)), 0) FROM landing";
        file.query_row(sum, [], |row| row.get(0)).unwrap()
    });
    landed.max().unwrap()
}

#[test]
fn damage_that_is_met_when_records_are_moved_is_set_aside() {
    let folder = TempDir::new().unwrap();
    write(&open(folder.path()), &[("a", line(7, NOON - 1, "m"))]);
    damage(folder.path(), "2026-07-01.sqlite", "record");
    let (store, reports) = open_at(folder.path(), noon);
    let landed = write_much(folder.path(), &store);
    assert!(landed < 4 * 1024 * 1024, "{landed}");
    assert_eq!(reports.lock().unwrap().len(), 1, "{reports:?}");
    assert!(folder.path().join("damaged-2026-07-01.sqlite").exists());
    assert!(!ids(&store, 7).is_empty());
}

#[test]
fn another_failure_to_move_records_is_reported_once_and_loses_none() {
    let folder = TempDir::new().unwrap();
    write(&open(folder.path()), &[("a", line(7, NOON - 1, "m"))]);
    let file = rusqlite::Connection::open(folder.path().join("2026-07-01.sqlite")).unwrap();
    let fail = "CREATE TRIGGER fail BEFORE INSERT ON record BEGIN SELECT RAISE(ABORT, 'no'); END";
    file.execute_batch(fail).unwrap();
    file.close().unwrap();
    let (store, reports) = open_at(folder.path(), noon);
    write_much(folder.path(), &store);
    assert_eq!(ids(&store, 7).len(), 101);
    let reports = reports.lock().unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0].contains("2026-07-01.sqlite cannot be used"),
        "{reports:?}"
    );
}

#[test]
fn a_file_whose_writer_was_killed_before_it_had_tables_is_used_again() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("2026-07-01.sqlite"), "").unwrap();
    let reader = Store::builder(folder.path()).open_to_read().unwrap();
    assert_eq!(reader.total(), 0);
    let store = open(folder.path());
    write(&store, &[("a", line(7, NOON, "m"))]);
    assert_eq!(ids(&store, 7), ["a"]);
}
