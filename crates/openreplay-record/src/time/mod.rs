//! The format of the time in a record: RFC 3339 in UTC, with microseconds and a `Z`.

mod calendar;
#[cfg(feature = "json")]
mod own;
mod stamp;

use std::time::SystemTime;

#[cfg(feature = "json")]
use jiff::Timestamp;

use self::calendar::{date_time, micros_text, since_epoch};
pub use self::stamp::Stamp;

/// Formats a time. A time outside the years 0 to 9999 is clamped to them.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_782_907_200_250_000);
/// assert_eq!(openreplay_record::time::text(time), "2026-07-01T12:00:00.250000Z");
/// ```
#[must_use]
pub fn text(time: SystemTime) -> String {
    let (second, micros) = since_epoch(time);
    let bytes = [&date_time(second)[..], b".", &micros_text(micros), b"Z"].concat();
    bytes.into_iter().map(char::from).collect()
}

/// Formats the current time.
#[must_use]
pub fn now() -> String {
    text(SystemTime::now())
}

/// Parses a time in RFC 3339, with any offset and up to nine fractional digits.
///
/// Returns `None` for other text.
///
/// ```
/// let read = openreplay_record::time::parse;
/// assert_eq!(read("2026-07-01T14:00:00+02:00"), read("2026-07-01T12:00:00.000000Z"));
/// assert_eq!(read("yesterday"), None);
/// ```
#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
#[must_use]
pub fn parse(text: &str) -> Option<SystemTime> {
    let general = || Some(text.parse::<Timestamp>().ok()?.into());
    own::read(text).or_else(general)
}

/// Converts milliseconds since the Unix epoch, a form that the panel also reads, into a time.
///
/// Returns `None` if the time is out of range.
#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
#[must_use]
pub fn from_milliseconds(milliseconds: i64) -> Option<SystemTime> {
    let time = Timestamp::from_millisecond(milliseconds).ok()?;
    Some(time.into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn after(seconds: u64, nanos: u32) -> SystemTime {
        UNIX_EPOCH + Duration::new(seconds, nanos)
    }

    #[test]
    fn writes_rfc_3339_with_microseconds() {
        let rows = [
            (after(0, 0), "1970-01-01T00:00:00.000000Z"),
            (
                after(951_782_399, 999_999_999),
                "2000-02-28T23:59:59.999999Z",
            ),
            (after(951_782_400, 1_000), "2000-02-29T00:00:00.000001Z"),
            (
                after(1_753_142_400, 120_000_000),
                "2025-07-22T00:00:00.120000Z",
            ),
            (after(4_107_542_400, 0), "2100-03-01T00:00:00.000000Z"),
            (after(253_402_300_799, 0), "9999-12-31T23:59:59.000000Z"),
            // The format cannot express later times.
            (after(253_402_300_800, 5), "9999-12-31T23:59:59.999999Z"),
            (
                UNIX_EPOCH - Duration::from_micros(1),
                "1969-12-31T23:59:59.999999Z",
            ),
            (
                UNIX_EPOCH - Duration::from_secs(1),
                "1969-12-31T23:59:59.000000Z",
            ),
            (
                UNIX_EPOCH - Duration::from_secs(62_167_219_200),
                "0000-01-01T00:00:00.000000Z",
            ),
            (
                UNIX_EPOCH - Duration::from_secs(62_167_219_201),
                "0000-01-01T00:00:00.000000Z",
            ),
        ];
        for (time, expected) in rows {
            assert_eq!(text(time), expected);
        }
    }

    #[test]
    fn now_is_the_time_of_the_call() {
        let before = text(SystemTime::now());
        let now = now();
        let after = text(SystemTime::now());
        assert!(before <= now && now <= after, "{before} {now} {after}");
    }

    #[cfg(feature = "json")]
    mod read_back {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn a_time_round_trips_to_the_microsecond(micros in -62_167_219_200_000_000_i64..253_402_300_800_000_000) {
                let distance = Duration::from_micros(micros.unsigned_abs());
                let time = if micros < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
                let text = text(time);
                prop_assert_eq!(text.len(), "2026-07-01T12:00:00.250000Z".len());
                prop_assert_eq!(parse(&text), Some(time));
            }
        }
    }
}
