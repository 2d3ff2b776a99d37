//! One day's file as its writer sees it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, Transaction};

use crate::codec::{self, Packer};
use crate::day::DayFile;
use crate::entry::{Entry, Outcome};
use crate::error::Error;
use crate::folder;
use crate::key::{Key, Kind, Place, Shelf, session_column};
use crate::pending::{Line, Pending};
use crate::schema;

const INSERT: &str =
    "INSERT OR IGNORE INTO record (session, time, id, line) VALUES (?1, ?2, ?3, ?4)";
const LAND: &str = "INSERT INTO landing (session, time, id, line) VALUES (?1, ?2, ?3, ?4)";
const CLEAR: &str = "DELETE FROM landing";
const EXISTS: &str = "SELECT 1 FROM record WHERE session = ?1 AND time = ?2 AND id = ?3";
const ARRIVED: &str = "SELECT time FROM arrival WHERE id = ?1";
const ARRIVE: &str = "INSERT OR IGNORE INTO arrival (id, time) VALUES (?1, ?2)";
const DICTIONARY: &str = "SELECT bytes FROM dictionary";
const KEEP_DICTIONARY: &str = "INSERT INTO dictionary (bytes) VALUES (?1)";
const COUNT: &str = "UPDATE total SET records = records + ?1, latest = max(latest, ?2)";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
const SHRINK: &str = "PRAGMA shrink_memory";

/// The size of a batch that goes to `record` directly: it fills whole pages without `landing`.
const DIRECT_BYTES: usize = 512 * 1024;
/// The maximum size of the rows in `landing`, which are also kept in memory.
const PENDING_BYTES: usize = 3 * 1024 * 1024;
/// The time between two attempts to move pending rows.
const PAUSE: Duration = Duration::from_secs(60);

/// The connection that writes to a day's file.
#[derive(Debug)]
pub(crate) struct DayWriter {
    pub(crate) file: Arc<DayFile>,
    connection: Connection,
    packer: Option<Packer>,
    /// When the pending rows could not be moved.
    failed: Option<Instant>,
}

/// An entry with the time under which it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) time: i64,
}

impl DayWriter {
    /// Opens a day's file, and creates it if it is missing. `known` is the file as its readers have
    /// already opened it.
    pub(crate) fn open(
        folder: &Path,
        shelf: Shelf,
        known: Option<Arc<DayFile>>,
    ) -> Result<Self, Error> {
        let path = folder.join(shelf.to_string());
        // SQLite would let others read it; its further files get the rights of this one
        folder::create_file(&path).map_err(|error| Error::io(&path, "created", error))?;
        let open = || {
            let connection = schema::open_to_write(&path)?;
            let file = match known {
                Some(known) => known,
                None => Arc::new(DayFile::load(path.clone(), shelf, &connection)?),
            };
            let read = |row: &Row<'_>| row.get(0);
            let dictionary: Option<Vec<u8>> =
                connection.query_row(DICTIONARY, [], read).optional()?;
            // without one that zstd accepts, records are stored as they are
            let packer = dictionary.and_then(|dictionary| Packer::new(&dictionary).ok());
            Ok(Self {
                file,
                connection,
                packer,
                failed: None,
            })
        };
        open().map_err(|error| Error::sqlite(&path, error))
    }

    /// Returns the time at which a record without a time first arrived, if it did.
    pub(crate) fn arrived(&self, id: &str) -> Result<Option<i64>, Error> {
        let find = || {
            let mut statement = self.connection.prepare_cached(ARRIVED)?;
            statement.query_row([id], |row| row.get(0)).optional()
        };
        find().map_err(|error| Error::sqlite(&self.file.path, error))
    }

    /// Returns the outcome of an entry whose record the file already contains, or `None` if the
    /// record is new.
    pub(crate) fn existing(&self, timed: Timed<'_>) -> Result<Option<Outcome>, Error> {
        let place = self.first_place(timed);
        let find = || existing(&self.connection, &self.file, place, timed.entry);
        find().map_err(|error| Error::sqlite(&self.file.path, error))
    }

    /// Stores the new records in one transaction. They are on disk when this returns.
    pub(crate) fn store(&mut self, timed: &[Timed<'_>]) -> Result<Vec<Outcome>, Error> {
        let stored = self.try_store(timed);
        stored.map_err(|error| Error::sqlite(&self.file.path, error))
    }

    fn try_store(&mut self, timed: &[Timed<'_>]) -> rusqlite::Result<Vec<Outcome>> {
        let bytes: usize = timed
            .iter()
            .map(|timed| timed.entry.line.as_bytes().len())
            .sum();
        if bytes >= DIRECT_BYTES {
            return self.store_directly(timed);
        }
        let (fresh, outcomes) = self.sort_out(timed)?;
        if fresh.is_empty() {
            return Ok(outcomes);
        }
        let transaction = self.connection.transaction()?;
        arrive(&transaction, timed)?;
        land(&transaction, &fresh)?;
        transaction.commit()?;
        self.file.pending_mut().append(fresh);
        Ok(outcomes)
    }

    /// Writes the new records to `record`.
    fn store_directly(&mut self, timed: &[Timed<'_>]) -> rusqlite::Result<Vec<Outcome>> {
        let order = self.sorted(timed);
        let transaction = self.connection.transaction()?;
        arrive(&transaction, timed)?;
        let texts = timed.iter().map(|timed| timed.entry.line.as_str());
        let mut new = match self.packer {
            Some(_) => None,
            None => train(&transaction, texts)?,
        };
        let mut packer = new.as_mut().or(self.packer.as_mut());
        let mut outcomes = vec![Outcome::Created; timed.len()];
        let mut stored = 0;
        let mut last: Option<(Place<'_>, &Entry)> = None;
        let mut insert = transaction.prepare_cached(INSERT)?;
        for (place, nth) in order {
            let entry = timed[nth].entry;
            if let Some((same, before)) = last
                && same == place
            {
                outcomes[nth] = outcome_of_text(before.line.as_bytes(), entry);
            } else if insert_entry(&mut insert, &self.file, place, entry, packer.as_deref_mut())? {
                stored += 1;
                last = Some((place, entry));
            } else {
                let found = existing(&transaction, &self.file, place, entry)?;
                outcomes[nth] = found.unwrap_or(Outcome::Exists);
            }
        }
        drop(insert);
        let latest = timed.iter().map(|timed| timed.time).max();
        commit(transaction, &self.file, stored, latest)?;
        self.packer = new.or(self.packer.take());
        Ok(outcomes)
    }

    /// Returns the entries' places in the order of `record`.
    fn sorted<'a>(&self, timed: &[Timed<'a>]) -> Vec<(Place<'a>, usize)> {
        let places = timed.iter().map(|timed| self.first_place(*timed));
        let mut order: Vec<_> = places.zip(0..).collect();
        order.sort_unstable();
        order
    }

    /// Separates new records from those that the file already contains.
    fn sort_out(&mut self, timed: &[Timed<'_>]) -> rusqlite::Result<(Pending, Vec<Outcome>)> {
        let mut fresh = Pending::default();
        let mut outcomes = vec![Outcome::Created; timed.len()];
        for (place, nth) in self.sorted(timed) {
            let entry = timed[nth].entry;
            let found = match fresh.at(place) {
                Some(line) => Some(outcome_of_row(&self.file, line.clone(), entry)?),
                None => existing(&self.connection, &self.file, place, entry)?,
            };
            match found {
                Some(outcome) => outcomes[nth] = outcome,
                None => add(&mut fresh, place, entry, self.packer.as_mut()),
            }
        }
        Ok((fresh, outcomes))
    }

    /// Moves the pending rows to `record` if they are many. After a failure, this does nothing for
    /// a while.
    pub(crate) fn settle_if_due(&mut self) -> Result<(), Error> {
        let is_too_early = |failed: Instant| failed.elapsed() < PAUSE;
        if self.file.pending().bytes() <= PENDING_BYTES || self.failed.is_some_and(is_too_early) {
            return Ok(());
        }
        let settled = self.settle();
        self.failed = settled.is_err().then(Instant::now);
        settled
    }

    /// Moves the pending rows to `record`.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        let mut settle = || {
            let pending = self.file.pending();
            if pending.is_empty() {
                return Ok(());
            }
            let transaction = self.connection.transaction()?;
            transaction.execute(CLEAR, [])?;
            write_out(transaction, &self.file, &mut self.packer, &pending)?;
            drop(pending);
            self.file.pending_mut().clear();
            Ok(())
        };
        settle().map_err(|error| Error::sqlite(&self.file.path, error))
    }

    /// Empties the write-ahead log and the page cache.
    pub(crate) fn tidy(&self) -> Result<(), Error> {
        let tidy = || {
            // A reader can prevent this. Reads are short, so a later attempt succeeds.
            self.connection.query_row(CHECKPOINT, [], |_| Ok(()))?;
            self.connection.execute_batch(SHRINK)
        };
        tidy().map_err(|error| Error::sqlite(&self.file.path, error))
    }

    fn first_place<'a>(&self, Timed { entry, time }: Timed<'a>) -> Place<'a> {
        let session = match self.file.shelf.kind {
            Kind::Session => entry.sessions.first().copied().map_or(0, session_column),
            Kind::NoSession => 0,
        };
        Place {
            session,
            time,
            id: entry.id.as_str(),
        }
    }
}

fn existing(
    connection: &Connection,
    file: &DayFile,
    place: Place<'_>,
    entry: &Entry,
) -> rusqlite::Result<Option<Outcome>> {
    let pending = file.pending().at(place).cloned();
    if let Some(line) = pending {
        return outcome_of_row(file, line, entry).map(Some);
    }
    let columns = (place.session, place.time, place.id);
    if !file.may_hold(place.time) || !connection.prepare_cached(EXISTS)?.exists(columns)? {
        return Ok(None);
    }
    if !entry.may_exist {
        return Ok(Some(Outcome::Exists));
    }
    let line = file.line(&place.to_key())?;
    line.map_or(Ok(Outcome::Exists), |line| {
        outcome_of_row(file, line, entry)
    })
    .map(Some)
}

/// Returns the outcome of an entry whose record is already stored in this row.
fn outcome_of_row(file: &DayFile, line: Line, entry: &Entry) -> rusqlite::Result<Outcome> {
    if !entry.may_exist {
        return Ok(Outcome::Exists);
    }
    Ok(match file.unpack(line)? {
        Line::Text(text) => outcome_of_text(text.as_bytes(), entry),
        Line::Packed(_) | Line::StoredUnder(_) => Outcome::Exists,
    })
}

/// Returns the outcome of an entry whose record is already stored with this text.
fn outcome_of_text(line: &[u8], entry: &Entry) -> Outcome {
    if entry.may_exist && line == entry.line.as_bytes() {
        Outcome::Unchanged
    } else {
        Outcome::Exists
    }
}

/// Stores the arrival times of the records without a time.
fn arrive(transaction: &Transaction<'_>, timed: &[Timed<'_>]) -> rusqlite::Result<()> {
    for timed in timed.iter().filter(|timed| timed.entry.time.is_none()) {
        transaction
            .prepare_cached(ARRIVE)?
            .execute((timed.entry.id.as_str(), timed.time))?;
    }
    Ok(())
}

/// Writes a record under each of its sessions. Returns false if the file already contains it.
fn insert_entry(
    insert: &mut CachedStatement<'_>,
    file: &DayFile,
    place: Place<'_>,
    entry: &Entry,
    packer: Option<&mut Packer>,
) -> rusqlite::Result<bool> {
    let is_pending = |place| file.pending().at(place).is_some();
    if is_pending(place) {
        return Ok(false);
    }
    let Place { session, time, id } = place;
    let packed = packer.and_then(|packer| packer.pack(entry.line.as_bytes()));
    let rows = match packed {
        Some(packed) => insert.execute((session, time, id, packed))?,
        None => insert.execute((session, time, id, entry.line.as_str()))?,
    };
    if rows == 0 {
        return Ok(false);
    }
    for further in entry.sessions.iter().skip(1) {
        let further = Place {
            session: session_column(*further),
            ..place
        };
        // the place may be that of another record with this `_id` and time
        if !is_pending(further) {
            insert.execute((further.session, time, id, session))?;
        }
    }
    Ok(true)
}

/// Counts the records that were written to `record`, and commits them.
fn commit(
    transaction: Transaction<'_>,
    file: &DayFile,
    records: u64,
    latest: Option<i64>,
) -> rusqlite::Result<()> {
    let latest = latest.unwrap_or(i64::MIN);
    transaction
        .prepare_cached(COUNT)?
        .execute((records.cast_signed(), latest))?;
    transaction.commit()?;
    file.add_settled(records, latest);
    Ok(())
}

fn add(fresh: &mut Pending, place: Place<'_>, entry: &Entry, packer: Option<&mut Packer>) {
    for further in entry.sessions.iter().skip(1) {
        let further = Key {
            session: session_column(*further),
            ..place.to_key()
        };
        fresh.add(further, Line::StoredUnder(place.session));
    }
    let packed = packer.and_then(|packer| packer.pack(entry.line.as_bytes()));
    let line = match packed {
        Some(packed) => Line::Packed(packed.into()),
        None => Line::Text(entry.line.as_str().into()),
    };
    fresh.add(place.to_key(), line);
}

fn land(transaction: &Transaction<'_>, rows: &Pending) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(LAND)?;
    for (key, line) in rows.rows() {
        insert.execute((key.session, key.time, &*key.id, line))?;
    }
    Ok(())
}

/// Writes rows to `record`, compressed with the day's dictionary. If the day has none yet, it is
/// trained from these rows if they suffice.
fn write_out(
    transaction: Transaction<'_>,
    file: &DayFile,
    packer: &mut Option<Packer>,
    rows: &Pending,
) -> rusqlite::Result<()> {
    let mut new = match packer {
        Some(_) => None,
        None => train(&transaction, rows.texts())?,
    };
    insert(&transaction, rows, new.as_mut().or(packer.as_mut()))?;
    let records = rows.records() as u64;
    let latest = rows.rows().map(|(key, _)| key.time).max();
    commit(transaction, file, records, latest)?;
    *packer = new.or(packer.take());
    Ok(())
}

fn train<'a>(
    transaction: &Transaction<'_>,
    texts: impl Iterator<Item = &'a str>,
) -> rusqlite::Result<Option<Packer>> {
    let Some(dictionary) = codec::train(texts) else {
        return Ok(None);
    };
    let Ok(packer) = Packer::new(&dictionary) else {
        return Ok(None);
    };
    transaction.execute(KEEP_DICTIONARY, [dictionary])?;
    Ok(Some(packer))
}

fn insert(
    transaction: &Transaction<'_>,
    rows: &Pending,
    mut packer: Option<&mut Packer>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(INSERT)?;
    for (key, line) in rows.rows() {
        let packed = match (line, &mut packer) {
            (Line::Text(text), Some(packer)) => packer.pack(text.as_bytes()),
            _ => None,
        };
        match packed {
            Some(packed) => insert.execute((key.session, key.time, &*key.id, packed))?,
            None => insert.execute((key.session, key.time, &*key.id, line))?,
        };
    }
    Ok(())
}
