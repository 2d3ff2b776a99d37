//! Where a record is kept: which file, and which place in it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::Offset;

const NANOS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

/// A record's place in its file. SQLite sorts the columns in this order, so a session's records are
/// neighbours in time order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) session: i64,
    /// Nanoseconds since 1970.
    pub(crate) time: i64,
    pub(crate) id: Box<str>,
}

/// A [`Key`] that borrows its `_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place<'a> {
    pub(crate) session: i64,
    pub(crate) time: i64,
    pub(crate) id: &'a str,
}

impl Place<'_> {
    pub(crate) fn to_key(self) -> Key {
        Key {
            session: self.session,
            time: self.time,
            id: self.id.into(),
        }
    }
}

/// The column's value for a session id. SQLite has no unsigned integers, and ids exceed `i64` from
/// 2036: those are negative there.
pub(crate) fn session_column(id: u64) -> i64 {
    id.cast_signed()
}

/// A day in UTC, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(i64);

impl Day {
    /// The day of a time in nanoseconds since 1970.
    pub(crate) fn of(time: i64) -> Self {
        Self(time.div_euclid(NANOS_PER_DAY))
    }

    /// The day so many days earlier.
    pub(crate) fn minus(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp::from_second(self.0.saturating_mul(NANOS_PER_DAY / 1_000_000_000));
        match time {
            Ok(time) => write!(f, "{}", Offset::UTC.to_datetime(time).date()),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

/// One file of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shelf {
    pub(crate) day: Day,
    pub(crate) kind: Kind,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Records without a session, by the day on which they arrived.
    NoSession,
    /// Records of sessions, by the day of their time.
    Session,
}

const ENDING: &str = ".sqlite";
const NO_SESSION: &str = "-no-session";

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Session => "",
            Kind::NoSession => NO_SESSION,
        };
        write!(f, "{}{kind}{ENDING}", self.day)
    }
}

impl FromStr for Shelf {
    type Err = ();

    /// Reads the name of a file.
    fn from_str(name: &str) -> Result<Self, ()> {
        let stem = name.strip_suffix(ENDING).ok_or(())?;
        let (date, kind) = match stem.strip_suffix(NO_SESSION) {
            Some(date) => (date, Kind::NoSession),
            None => (stem, Kind::Session),
        };
        let date: jiff::civil::Date = date.parse().map_err(|_| ())?;
        let start = Offset::UTC
            .to_timestamp(date.at(0, 0, 0, 0))
            .map_err(|_| ())?;
        let day = Day(start.as_second().div_euclid(24 * 60 * 60));
        let shelf = Self { day, kind };
        // other spellings of a date are other people's files
        if shelf.to_string() == name {
            Ok(shelf)
        } else {
            Err(())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_named_after_its_day() {
        let day = Day::of(1_790_000_000_000_000_000);
        let names = [Kind::Session, Kind::NoSession].map(|kind| Shelf { day, kind }.to_string());
        assert_eq!(names, ["2026-09-21.sqlite", "2026-09-21-no-session.sqlite"]);
        for other in [
            "lock",
            "2026-09-21.sqlite-wal",
            "2026-9-21.sqlite",
            "20260921.sqlite",
        ] {
            assert_eq!(other.parse::<Shelf>(), Err(()), "{other}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(Day::of(-1), Day(-1));
        assert_eq!(Day::of(NANOS_PER_DAY - 1), Day(0));
        assert_eq!(Day::of(NANOS_PER_DAY), Day(1));
    }

    proptest! {
        #[test]
        fn a_name_leads_back_to_its_file(time in 0..i64::MAX, no_session: bool) {
            let kind = if no_session { Kind::NoSession } else { Kind::Session };
            let shelf = Shelf { day: Day::of(time), kind };
            prop_assert_eq!(shelf.to_string().parse(), Ok(shelf));
        }
    }
}
