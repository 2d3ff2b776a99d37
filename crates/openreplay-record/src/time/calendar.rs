//! Converts a time into the digits of RFC 3339.

use std::time::{SystemTime, UNIX_EPOCH};

/// The last second of year 9999 and the first second of year 0, the limits of RFC 3339.
const LAST: i64 = 253_402_300_799;
const FIRST: i64 = -62_167_219_200;

/// The days of an era of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// The days from 1 March of year 0 to 1970.
const MARCH_OF_YEAR_0: i64 = 719_468;

/// Returns the seconds since 1970, rounded down, and the remaining microseconds.
#[inline]
pub(super) fn since_epoch(time: SystemTime) -> (i64, u32) {
    let (second, micros) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (
            i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            after.subsec_micros(),
        ),
        Err(error) => {
            let before = error.duration();
            let nanos = before.subsec_nanos();
            let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            if nanos == 0 {
                (-whole, 0)
            } else {
                (-whole.saturating_add(1), (1_000_000_000 - nanos) / 1000)
            }
        }
    };
    match second {
        ..FIRST => (FIRST, 0),
        FIRST..=LAST => (second, micros),
        _ => (LAST, 999_999),
    }
}

/// Formats a time as `0000-00-00T00:00:00`.
pub(super) fn date_time(second: i64) -> [u8; 19] {
    let (year, month, day) = civil(second.div_euclid(86_400));
    let time = second.rem_euclid(86_400);
    let mut text = *b"0000-00-00T00:00:00";
    let parts = [
        (0, year / 100),
        (2, year),
        (5, month),
        (8, day),
        (11, time / 3600),
        (14, time / 60 % 60),
        (17, time % 60),
    ];
    for (at, number) in parts {
        text[at] = digit(number / 10);
        text[at + 1] = digit(number);
    }
    text
}

/// Returns the year, month and day of a number of days since 1970.
///
/// The calendar repeats after an era of 400 years. Within an era, years begin in March, so that a
/// leap day is the last day of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + MARCH_OF_YEAR_0;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let leap_days = day / 1460 - day / 36_524 + day / (ERA - 1);
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on, every five months have 153 days.
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next_year, month, day_of_month)
}

/// Returns the days since 1970 until a day, or `None` if the month has no such day.
#[cfg(feature = "json")]
pub(super) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    // Years begin in March, as in `civil`.
    let (year_from_march, month_from_march) = match month {
        ..=2 => (year - 1, month + 9),
        3.. => (year, month - 3),
    };
    let (era, year_of_era) = (
        year_from_march.div_euclid(400),
        year_from_march.rem_euclid(400),
    );
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = ERA * era + day_of_era - MARCH_OF_YEAR_0;
    (civil(days) == (year, month, day)).then_some(days)
}

#[inline]
pub(super) fn micros_text(micros: u32) -> [u8; 6] {
    let mut text = [0; 6];
    let (pairs, _) = text.as_chunks_mut::<2>();
    for (pair, number) in pairs
        .iter_mut()
        .zip([micros / 10_000, micros / 100, micros])
    {
        *pair = [number / 10 % 10, number % 10].map(|digit| b'0' + digit.to_le_bytes()[0]);
    }
    text
}

/// Returns the last digit of a number.
fn digit(number: i64) -> u8 {
    // The remainder is 0 to 9, so it fits into the lowest byte.
    b'0' + number.rem_euclid(10).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_follows_the_previous_day() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut year, mut month, mut day) = (0, 1, 1);
        for number in -719_528..=2_932_896 {
            assert_eq!(civil(number), (year, month, day));
            #[cfg(feature = "json")]
            assert_eq!(days(year, month, day), Some(number));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let in_month =
                lengths[usize::try_from(month).unwrap() - 1] + i64::from(leap && month == 2);
            day += 1;
            if day > in_month {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }
}
