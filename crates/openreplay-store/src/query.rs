//! Reads records of all days.

use std::sync::Arc;

use crate::day::{DayFile, Found};
use crate::error::Error;
use crate::key::{Kind, session_column};
use crate::message::Message;
use crate::room::Room;
use crate::shared::Shared;

/// What is read at once.
const PAGE: Room = Room {
    records: 1_000,
    bytes: 16 * 1024 * 1024,
};

/// A record that was read from a [`Store`](crate::Store).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The `_id` of the record.
    pub id: String,
    /// The time in nanoseconds since 1970, from `@timestamp` or, without one, from the first
    /// arrival of the record.
    pub time: i64,
    /// The line as it was received.
    pub line: String,
}

impl From<Found> for Record {
    fn from(found: Found) -> Self {
        Self {
            id: found.key.id.into(),
            time: found.key.time,
            line: found.line.into(),
        }
    }
}

impl Shared {
    /// Returns the earliest records of a session in time order, and by `_id` if times are equal.
    pub(crate) fn session(&self, id: u64, mut room: Room) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        self.each(|file| {
            if file.shelf.kind == Kind::Session && room.is_left() {
                for found in file.session(session_column(id), room)? {
                    room.take(found.line.len());
                    records.push(found.into());
                }
            }
            Ok(())
        })?;
        Ok(records)
    }

    /// Returns the number of records of a session.
    pub(crate) fn count(&self, id: u64) -> Result<u64, Error> {
        let mut count = 0;
        self.each(|file| {
            if file.shelf.kind == Kind::Session {
                count += file.count(session_column(id))?;
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// Returns some records of the latest days, if there are any.
    pub(crate) fn sample(&self, mut room: Room) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        let mut files = self.files();
        files.reverse();
        for file in files {
            self.take_sample(&file, &mut room, &mut records)?;
        }
        Ok(records)
    }

    fn take_sample(
        &self,
        file: &Arc<DayFile>,
        room: &mut Room,
        records: &mut Vec<Record>,
    ) -> Result<(), Error> {
        let mut rows = *room;
        let mut after = None;
        while room.is_left() {
            let page = self.unless_damaged(file, |file| file.page(after.as_ref(), rows))?;
            let Some((found, next)) = page else { break };
            for found in found {
                if room.is_left() {
                    room.take(found.line.len());
                    records.push(found.into());
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
            // rows of further sessions have no text and can be many
            rows = Room {
                records: PAGE.records,
                bytes: room.bytes.min(PAGE.bytes),
            };
        }
        Ok(())
    }

    /// Returns the number of records.
    pub(crate) fn total(&self) -> u64 {
        self.files().iter().map(|file| file.total()).sum()
    }

    /// Calls `each` for every record: the earliest day first, and each day by session and time.
    pub(crate) fn export<E: From<Error>>(
        &self,
        mut each: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        for file in self.files() {
            let mut after = None;
            loop {
                let page = self.unless_damaged(&file, |file| file.page(after.as_ref(), PAGE))?;
                let Some((found, next)) = page else { break };
                found
                    .into_iter()
                    .map(Record::from)
                    .try_for_each(&mut each)?;
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Reads each file, the earliest day first. Damaged files are omitted and reported.
    fn each(&self, mut work: impl FnMut(&Arc<DayFile>) -> Result<(), Error>) -> Result<(), Error> {
        for file in self.files() {
            self.unless_damaged(&file, &mut work)?;
        }
        Ok(())
    }

    fn unless_damaged<T>(
        &self,
        file: &Arc<DayFile>,
        work: impl FnOnce(&Arc<DayFile>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match work(file) {
            Err(error) if error.is_damaged() => {
                if self.send(Message::Damaged(Arc::clone(file))).is_err() {
                    self.report(&format!("{error}; the file is skipped"));
                }
                Ok(None)
            }
            // deleted since the list was made
            Err(_) if self.file(file.shelf).is_none() => Ok(None),
            done => done.map(Some),
        }
    }
}
