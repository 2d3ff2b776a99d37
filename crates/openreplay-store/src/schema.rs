//! What a day's file looks like, and how a connection to it is opened.
//!
//! | table | holds |
//! |---|---|
//! | `record` | the records, in the order in which they are queried: session, time, `_id` |
//! | `landing` | the latest records, in the order in which they arrived, until enough of them can be moved to `record` |
//! | `arrival` | when a record without a time arrived first, so that a retry finds it |
//! | `dictionary` | what `line` is compressed with; empty until there are enough records to train one |
//! | `total` | how many records `record` holds, and the latest of their times |
//!
//! `line` is the record as text, or compressed as a blob, or, in the rows of a record's further
//! sessions, the number of the first session, under which the text is.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

#[cfg(unix)]
use crate::folder;

/// `wal_autocheckpoint` keeps the write-ahead log at about 4 MiB: neighbours in a page arrive in
/// several transactions, and a checkpoint writes the page once. `journal_size_limit` gives the
/// space back after a long reader has made the log longer. `synchronous = FULL` writes each commit
/// to the disk before it returns.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA journal_size_limit = 4194304;
    PRAGMA cache_size = -2048;
    PRAGMA temp_store = MEMORY;";

const TABLES: &str = "
    BEGIN;
    CREATE TABLE IF NOT EXISTS record (
        session INTEGER NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL, line NOT NULL,
        PRIMARY KEY (session, time, id)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS landing (
        session INTEGER NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL, line NOT NULL
    );
    CREATE TABLE IF NOT EXISTS arrival (id TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS dictionary (bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS total (records INTEGER NOT NULL, latest INTEGER NOT NULL);
    INSERT INTO total SELECT 0, -9223372036854775807 WHERE NOT EXISTS (SELECT 1 FROM total);
    PRAGMA user_version = 1;
    COMMIT;";

const VERSION: &str = "PRAGMA user_version";

/// How many statements a connection keeps compiled.
const STATEMENTS: usize = 16;

/// Opens a file to write to it, and creates it if it is missing.
pub(crate) fn open_to_write(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    // SQLite then rejects a link anywhere in the path
    #[cfg(unix)]
    let (path, flags) = (
        &folder::without_links(path),
        flags | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    );
    let connection = open(path, flags)?;
    connection.execute_batch(SETTINGS)?;
    if is_new(&connection)? {
        connection.execute_batch(TABLES)?;
    }
    Ok(connection)
}

/// Whether the file has no tables yet: its writer is about to create them, or was killed before.
pub(crate) fn is_new(connection: &Connection) -> rusqlite::Result<bool> {
    let version: i64 = connection.query_row(VERSION, [], |row| row.get(0))?;
    Ok(version == 0)
}

/// Opens a file that exists to read from it.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;")?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // each connection is used by one thread at a time
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_new_file_has_all_tables_and_is_left_as_it_is_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("day.sqlite");
        for _ in 0..2 {
            let connection = open_to_write(&path).unwrap();
            let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
            assert_eq!(
                names(&connection, tables),
                ["arrival", "dictionary", "landing", "record", "total"]
            );
            let total = "SELECT CAST(records AS TEXT) FROM total";
            assert_eq!(names(&connection, total), ["0"]);
            assert_eq!(names(&connection, "PRAGMA journal_mode"), ["wal"]);
        }
    }

    #[test]
    fn a_reader_cannot_write_and_creates_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("day.sqlite");
        assert!(open_to_read(&path).is_err());
        assert!(!path.exists());
        open_to_write(&path).unwrap();
        let reader = open_to_read(&path).unwrap();
        assert!(reader.execute("DELETE FROM total", []).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_writer_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("day.sqlite");
        std::os::unix::fs::symlink("target", &path).unwrap();
        assert!(open_to_write(&path).is_err());
        assert!(!folder.path().join("target").exists());
    }
}
