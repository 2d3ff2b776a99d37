//! The time of a record, as its beginning: `{"@timestamp":"…","utc_time":"…"`.

use std::time::{SystemTime, UNIX_EPOCH};

const LENGTH: usize = 84;
const TEMPLATE: [u8; LENGTH] =
    *br#"{"@timestamp":"0000-00-00T00:00:00.000000Z","utc_time":"0000-00-00T00:00:00.000000Z""#;
const AT: [usize; 2] = [15, 56];
const MICROS: usize = "0000-00-00T00:00:00.".len();

/// The last second of year 9999, and the first of year 0: what RFC 3339 can say.
const LAST: i64 = 253_402_300_799;
const FIRST: i64 = -62_167_219_200;

/// Keeps the text of the last second, so that mostly six digits change from one record to the next.
#[derive(Debug)]
pub(super) struct Stamp {
    second: i64,
    text: [u8; LENGTH],
}

impl Default for Stamp {
    fn default() -> Self {
        Self {
            second: i64::MIN,
            text: TEMPLATE,
        }
    }
}

impl Stamp {
    pub(super) fn write(&mut self, out: &mut Vec<u8>, time: SystemTime) {
        let (second, micros) = since_epoch(time);
        if second != self.second {
            self.second = second;
            let date = date_time(second);
            for at in AT {
                self.text[at..at + date.len()].copy_from_slice(&date);
            }
        }
        let start = out.len();
        out.extend_from_slice(&self.text);
        // where they belong, not in the text that is kept: a processor is slow to copy what was
        // written in pieces just now
        let digits = micros_text(micros);
        let text = &mut out[start..];
        for at in AT {
            text[at + MICROS..][..digits.len()].copy_from_slice(&digits);
        }
    }
}

/// Seconds since 1970, rounded down, and the microseconds beyond them.
fn since_epoch(time: SystemTime) -> (i64, u32) {
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

/// `0000-00-00T00:00:00`
fn date_time(second: i64) -> [u8; 19] {
    let (year, month, day) = civil(second.div_euclid(86_400));
    let time = second.rem_euclid(86_400);
    let mut text = *b"0000-00-00T00:00:00";
    let parts = [
        (0, year / 100),
        (2, year % 100),
        (5, month),
        (8, day),
        (11, time / 3600),
        (14, time / 60 % 60),
        (17, time % 60),
    ];
    for (at, number) in parts {
        text[at] = digit(number / 10);
        text[at + 1] = digit(number % 10);
    }
    text
}

/// Year, month and day of the days since 1970: counted in eras of 400 years, which are all alike,
/// and in years that begin in March, so that the leap day is a year's last.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    // from the first of March of year 0
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let leap_days = day / 1460 - day / 36_524 + day / (ERA - 1);
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // five months from March on have 153 days, twice and then some
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next_year, month, day_of_month)
}

fn micros_text(micros: u32) -> [u8; 6] {
    [100_000, 10_000, 1000, 100, 10, 1].map(|unit| b'0' + (micros / unit % 10).to_le_bytes()[0])
}

fn digit(number: i64) -> u8 {
    // 0 to 9
    b'0' + number.rem_euclid(10).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(time: SystemTime) -> String {
        let mut stamp = Stamp::default();
        let text = written(&mut stamp, time);
        let record: serde_json::Value = serde_json::from_str(&format!("{text}}}")).unwrap();
        assert_eq!(record["@timestamp"], record["utc_time"]);
        record["@timestamp"].as_str().unwrap().to_owned()
    }

    fn written(stamp: &mut Stamp, time: SystemTime) -> String {
        let mut out = Vec::new();
        stamp.write(&mut out, time);
        String::from_utf8(out).unwrap()
    }

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
            // later than the format can say
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
    fn each_day_follows_the_one_before() {
        let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut year, mut month, mut day) = (0, 1, 1);
        for number in -719_528..=2_932_896 {
            assert_eq!(civil(number), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let in_month =
                days[usize::try_from(month).unwrap() - 1] + i64::from(leap && month == 2);
            day += 1;
            if day > in_month {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn the_kept_second_does_not_stay() {
        let mut stamp = Stamp::default();
        for seconds in [5, 5, 6, 4] {
            let text = written(&mut stamp, after(seconds, 7_000));
            assert!(
                text.contains(&format!("00:00:0{seconds}.000007Z")),
                "{text}"
            );
        }
    }
}
