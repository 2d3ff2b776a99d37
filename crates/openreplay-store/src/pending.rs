//! The latest records of a day, in memory as well as in `landing`, until they are moved to `record`
//! together.
//!
//! A few records of as many sessions belong to as many pages of `record`, and each commit writes
//! whole pages. In `landing` they are neighbours, so a commit writes about as much as it stores.
//! Once there are some thousand, many share a page of `record`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use rusqlite::Row;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use crate::key::{Key, Place};

/// The text of a record, or the row that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(Box<str>),
    /// The text, compressed with the day's dictionary.
    Packed(Box<[u8]>),
    /// The text is in the row of this session with the same time and `_id`.
    StoredUnder(i64),
}

impl ToSql for Line {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(text) => (**text).into(),
            Self::Packed(packed) => (**packed).into(),
            Self::StoredUnder(session) => (*session).into(),
        })
    }
}

impl Line {
    /// Reads a row's column.
    pub(crate) fn of(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        Ok(match row.get_ref(column)? {
            ValueRef::Blob(packed) => Self::Packed(packed.into()),
            ValueRef::Integer(session) => Self::StoredUnder(session),
            other => Self::Text(other.as_str()?.into()),
        })
    }

    /// Returns the size of a row, which is about the same in memory and on disk.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Packed(packed) => packed.len(),
            Self::StoredUnder(_) => 8,
        }
    }
}

/// Rows that are not yet in `record`.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    rows: BTreeMap<Key, Line>,
    bytes: usize,
}

/// The approximate size of a key and its entry in the map.
const ROW_BYTES: usize = 96;

impl Pending {
    /// Adds a row, unless the key already has one.
    pub(crate) fn add(&mut self, key: Key, line: Line) {
        if let Entry::Vacant(vacant) = self.rows.entry(key) {
            self.bytes += ROW_BYTES + vacant.key().id.len() + line.bytes();
            vacant.insert(line);
        }
    }

    /// Adds all rows of another whose keys have no row yet.
    pub(crate) fn append(&mut self, other: Self) {
        for (key, line) in other.rows {
            self.add(key, line);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Line> {
        self.rows.get(key)
    }

    pub(crate) fn at(&self, place: Place<'_>) -> Option<&Line> {
        // large batches leave nothing pending, so don't allocate a key
        if self.is_empty() {
            None
        } else {
            self.get(&place.to_key())
        }
    }

    /// Returns the approximate memory use.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the texts that are not compressed.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.rows.values().filter_map(|line| match line {
            Line::Text(text) => Some(&**text),
            Line::Packed(_) | Line::StoredUnder(_) => None,
        })
    }

    /// Returns the number of records. A record of several sessions counts once.
    pub(crate) fn records(&self) -> usize {
        let lines = self.rows.values();
        lines
            .filter(|line| !matches!(line, Line::StoredUnder(_)))
            .count()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns all rows in the order of their keys.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&Key, &Line)> {
        self.rows.iter()
    }

    /// Returns the rows after a key.
    pub(crate) fn after<'a>(
        &'a self,
        key: Option<&'a Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Line)> {
        let start = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range((start, Bound::Unbounded))
    }

    /// Returns the rows of a session in time order.
    pub(crate) fn of(&self, session: i64) -> impl Iterator<Item = (&Key, &Line)> {
        let first = Key {
            session,
            time: i64::MIN,
            id: "".into(),
        };
        let rows = self.rows.range(first..);
        rows.take_while(move |(key, _)| key.session == session)
    }
}
