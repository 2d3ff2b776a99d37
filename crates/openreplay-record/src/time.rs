//! The time in a record: RFC 3339 in UTC, with microseconds and a `Z`.

use std::time::SystemTime;

use jiff::Timestamp;

/// Returns the text of a time. A time outside of the years -9999 to 9999 becomes the nearest that
/// the format can show.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_782_907_200_250_000);
/// assert_eq!(openreplay_record::time::text(time), "2026-07-01T12:00:00.250000Z");
/// ```
#[must_use]
pub fn text(time: SystemTime) -> String {
    let nearest = match time < SystemTime::UNIX_EPOCH {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    };
    format!("{:.6}", Timestamp::try_from(time).unwrap_or(nearest))
}

/// Returns the text of the current time.
#[must_use]
pub fn now() -> String {
    text(SystemTime::now())
}

/// Reads a time in RFC 3339 with any offset and up to nine digits of a second; `None` for other
/// text.
///
/// ```
/// let read = openreplay_record::time::parse;
/// assert_eq!(read("2026-07-01T14:00:00+02:00"), read("2026-07-01T12:00:00.000000Z"));
/// assert_eq!(read("yesterday"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<SystemTime> {
    let time: Timestamp = text.parse().ok()?;
    Some(time.into())
}

/// Returns the time so many milliseconds after 1970, which the panel reads as well; `None` beyond
/// the years that [`text`](text()) can show.
#[must_use]
pub fn from_milliseconds(milliseconds: i64) -> Option<SystemTime> {
    let time = Timestamp::from_millisecond(milliseconds).ok()?;
    Some(time.into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_read_back_to_the_microsecond(micros in 0..253_402_300_800_000_000_u64) {
            let time = UNIX_EPOCH + Duration::from_micros(micros);
            let text = text(time);
            prop_assert_eq!(text.len(), "2026-07-01T12:00:00.250000Z".len());
            prop_assert_eq!(parse(&text), Some(time));
        }
    }

    #[test]
    fn a_time_beyond_the_format_is_the_nearest_in_it() {
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        assert!(text(UNIX_EPOCH + 10_000 * year).starts_with("9999-12-30T"));
        assert!(text(UNIX_EPOCH - 13_000 * year).starts_with("-009999-01-02T"));
    }
}
