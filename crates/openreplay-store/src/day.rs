//! One day's file as its readers see it: what is in it, and what is still pending.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rusqlite::{Connection, Row};

use crate::error::Error;
use crate::key::{Key, Shelf};
use crate::pending::{Line, Pending};
use crate::reader::{Reader, Stored, key_of};
use crate::room::Room;
use crate::schema;

const LANDED: &str = "SELECT session, time, id, line FROM landing";
const TOTAL: &str = "SELECT records, latest FROM total";

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: Key,
    pub(crate) line: Box<str>,
}

/// One day's file.
#[derive(Debug)]
pub(crate) struct DayFile {
    pub(crate) shelf: Shelf,
    pub(crate) path: PathBuf,
    pending: RwLock<Pending>,
    /// How many records `record` holds.
    settled: AtomicU64,
    /// The latest of their times.
    latest: AtomicI64,
    reader: Mutex<Option<Reader>>,
}

impl DayFile {
    /// Takes what a connection finds in the file's `landing` into memory.
    pub(crate) fn load(
        path: PathBuf,
        shelf: Shelf,
        connection: &Connection,
    ) -> rusqlite::Result<Self> {
        // another process may move the rows in the meantime
        let snapshot = connection.unchecked_transaction()?;
        let mut pending = Pending::default();
        let mut statement = snapshot.prepare(LANDED)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            pending.add(key_of(row)?, Line::of(row, 3)?);
        }
        let total = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?));
        let (records, latest) = snapshot.query_row(TOTAL, [], total)?;
        Ok(Self {
            shelf,
            path,
            pending: RwLock::new(pending),
            settled: AtomicU64::new(records.unsigned_abs()),
            latest: AtomicI64::new(latest),
            reader: Mutex::new(None),
        })
    }

    /// Opens a file that another process may be writing to; `None` if it has no tables yet.
    pub(crate) fn open_to_read(folder: &Path, shelf: Shelf) -> Result<Option<Self>, Error> {
        let path = folder.join(shelf.to_string());
        let open = || {
            let connection = schema::open_to_read(&path)?;
            if schema::is_new(&connection)? {
                return Ok(None);
            }
            Self::load(path.clone(), shelf, &connection).map(Some)
        };
        open().map_err(|error| Error::sqlite(&path, error))
    }

    pub(crate) fn pending(&self) -> RwLockReadGuard<'_, Pending> {
        self.pending.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pending_mut(&self) -> RwLockWriteGuard<'_, Pending> {
        self.pending.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_settled(&self, records: u64, latest: i64) {
        self.settled.fetch_add(records, Ordering::Relaxed);
        self.latest.fetch_max(latest, Ordering::Relaxed);
    }

    /// Whether `record` can hold a record of this time. New records mostly have later times than
    /// all others, so nothing needs to be read from the file.
    pub(crate) fn may_hold(&self, time: i64) -> bool {
        time <= self.latest.load(Ordering::Relaxed)
    }

    /// How many records there are.
    pub(crate) fn total(&self) -> u64 {
        self.settled.load(Ordering::Relaxed) + self.pending().records() as u64
    }

    /// The earliest records of a session, in time order, ties by `_id`.
    pub(crate) fn session(&self, session: i64, mut room: Room) -> Result<Vec<Found>, Error> {
        // Pending rows first: a row that is moved in the meantime is then found twice, not missed.
        let pending = owned(self.pending().of(session).take(room.records));
        self.read(|reader| {
            let mut rows = merged(pending, reader.of_session(session, room)?);
            let mut records = Vec::new();
            while room.is_left()
                && let Some(row) = rows.next()
            {
                let found = self.found(row, reader)?;
                room.take(found.line.len());
                records.push(found);
            }
            Ok(records)
        })
    }

    /// How many records a session has.
    pub(crate) fn count(&self, session: i64) -> Result<u64, Error> {
        let pending: Vec<_> = self
            .pending()
            .of(session)
            .map(|(key, _)| key.clone())
            .collect();
        self.read(|reader| reader.count(session, &pending))
    }

    /// The records after a key, in the order of their keys, each under its first session only.
    ///
    /// Returns the key after which to continue, or `None` at the end of the file.
    pub(crate) fn page(
        &self,
        after: Option<&Key>,
        mut room: Room,
    ) -> Result<(Vec<Found>, Option<Key>), Error> {
        let pending = owned(self.pending().after(after).take(room.records));
        self.read(|reader| {
            let mut rows = merged(pending, reader.after(after, room)?);
            let mut records = Vec::new();
            let mut next = None;
            while room.is_left()
                && let Some((key, line)) = rows.next()
            {
                let line = reader.unpack(line)?;
                room.take(line.bytes());
                next = (!room.is_left()).then(|| key.clone());
                if let Line::Text(line) = line {
                    records.push(Found { key, line });
                }
            }
            Ok((records, next))
        })
    }

    /// The line with a key.
    pub(crate) fn line(&self, key: &Key) -> rusqlite::Result<Option<Line>> {
        self.try_read(|reader| reader.line(key))
    }

    /// The line as text, if it is compressed.
    pub(crate) fn unpack(&self, line: Line) -> rusqlite::Result<Line> {
        self.try_read(|reader| reader.unpack(line))
    }

    /// Closes the connection for reading until the next read.
    pub(crate) fn close_reader(&self) {
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Follows a row to its text.
    fn found(&self, (key, line): Stored, reader: &mut Reader) -> rusqlite::Result<Found> {
        let line = match line {
            Line::StoredUnder(session) => {
                let first = Key {
                    session,
                    ..key.clone()
                };
                let pending = self.pending().get(&first).cloned();
                pending.map_or_else(|| reader.line(&first), |line| Ok(Some(line)))?
            }
            line => Some(line),
        };
        match line.map(|line| reader.unpack(line)).transpose()? {
            Some(Line::Text(line)) => Ok(Found { key, line }),
            _ => Err(rusqlite::Error::QueryReturnedNoRows),
        }
    }

    fn read<T>(&self, work: impl FnOnce(&mut Reader) -> rusqlite::Result<T>) -> Result<T, Error> {
        self.try_read(work)
            .map_err(|error| Error::sqlite(&self.path, error))
    }

    fn try_read<T>(
        &self,
        work: impl FnOnce(&mut Reader) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut slot = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *slot {
            Some(reader) => work(reader),
            slot => work(slot.insert(Reader::open(&self.path)?)),
        }
    }
}

fn owned<'a>(rows: impl Iterator<Item = (&'a Key, &'a Line)>) -> Vec<Stored> {
    rows.map(|(key, line)| (key.clone(), line.clone()))
        .collect()
}

fn merged(pending: Vec<Stored>, settled: Vec<Stored>) -> impl Iterator<Item = Stored> {
    let mut rows = BTreeMap::from_iter(pending);
    rows.extend(settled);
    rows.into_iter()
}
