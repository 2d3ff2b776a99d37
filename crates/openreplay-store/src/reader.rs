//! What is read from one file with one connection. Every read is short: a long one keeps the
//! write-ahead log from being reused.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use crate::codec::Unpacker;
use crate::key::Key;
use crate::pending::Line;
use crate::room::Room;
use crate::schema;

const OF_SESSION: &str =
    "SELECT session, time, id, line FROM record WHERE session = ?1 ORDER BY time, id LIMIT ?2";
const AFTER: &str = "SELECT session, time, id, line FROM record
    WHERE (session, time, id) > (?1, ?2, ?3) ORDER BY session, time, id LIMIT ?4";
const COUNT: &str = "SELECT count(*) FROM record WHERE session = ?1";
const LINE: &str = "SELECT line FROM record WHERE session = ?1 AND time = ?2 AND id = ?3";
const DICTIONARY: &str = "SELECT bytes FROM dictionary";

/// A connection for reading.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    unpacker: Option<Unpacker>,
}

/// A row's key and its line.
pub(crate) type Stored = (Key, Line);

impl Reader {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = schema::open_to_read(path)?;
        Ok(Self {
            connection,
            unpacker: None,
        })
    }

    /// The earliest rows of a session, in time order.
    pub(crate) fn of_session(&mut self, session: i64, room: Room) -> rusqlite::Result<Vec<Stored>> {
        self.rows(OF_SESSION, (session, to_sql(room.records)), room)
    }

    /// The first rows after a key, or the first of all.
    pub(crate) fn after(&mut self, key: Option<&Key>, room: Room) -> rusqlite::Result<Vec<Stored>> {
        let (session, time, id) = key.map_or((i64::MIN, i64::MIN, ""), |key| {
            (key.session, key.time, &*key.id)
        });
        self.rows(AFTER, (session, time, id, to_sql(room.records)), room)
    }

    /// How many rows a session has, those with these keys counted once.
    pub(crate) fn count(&self, session: i64, pending: &[Key]) -> rusqlite::Result<u64> {
        let snapshot = self.connection.unchecked_transaction()?;
        let settled: i64 = snapshot
            .prepare_cached(COUNT)?
            .query_row([session], |row| row.get(0))?;
        let mut count = settled.unsigned_abs();
        let mut line = snapshot.prepare_cached(LINE)?;
        for key in pending {
            let is_settled = line.exists((key.session, key.time, &*key.id))?;
            count += u64::from(!is_settled);
        }
        Ok(count)
    }

    /// The line with a key.
    pub(crate) fn line(&self, key: &Key) -> rusqlite::Result<Option<Line>> {
        let mut statement = self.connection.prepare_cached(LINE)?;
        let columns = (key.session, key.time, &*key.id);
        statement
            .query_row(columns, |row| Line::of(row, 0))
            .optional()
    }

    /// The line as text, if it is compressed.
    pub(crate) fn unpack(&mut self, line: Line) -> rusqlite::Result<Line> {
        unpack(&self.connection, &mut self.unpacker, line)
    }

    /// Reads rows until the room is taken. Their lines are not compressed.
    fn rows(
        &mut self,
        sql: &str,
        parameters: impl Params,
        mut room: Room,
    ) -> rusqlite::Result<Vec<Stored>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut stored = Vec::new();
        while room.is_left()
            && let Some(row) = rows.next()?
        {
            let (key, line) = (key_of(row)?, Line::of(row, 3)?);
            let line = unpack(&self.connection, &mut self.unpacker, line)?;
            room.take(line.bytes());
            stored.push((key, line));
        }
        Ok(stored)
    }
}

fn unpack(
    connection: &Connection,
    unpacker: &mut Option<Unpacker>,
    line: Line,
) -> rusqlite::Result<Line> {
    let Line::Packed(packed) = line else {
        return Ok(line);
    };
    let unpacker = match unpacker {
        Some(unpacker) => unpacker,
        unpacker => {
            let read = |row: &Row<'_>| row.get(0);
            let dictionary: Vec<u8> = connection.query_row(DICTIONARY, [], read)?;
            unpacker.insert(Unpacker::new(&dictionary).map_err(|error| damaged(&error))?)
        }
    };
    let text = unpacker.unpack(&packed).map_err(|error| damaged(&error))?;
    Ok(Line::Text(text.into()))
}

/// The key in a row's first three columns.
pub(crate) fn key_of(row: &Row<'_>) -> rusqlite::Result<Key> {
    let id = row.get_ref(2)?.as_str()?.into();
    Ok(Key {
        session: row.get(0)?,
        time: row.get(1)?,
        id,
    })
}

fn to_sql(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A line that zstd cannot read is damage, as a page is that SQLite cannot read.
fn damaged(error: &std::io::Error) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
}
