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
