//! Times in every form that Elasticsearch accepts for a `date_nanos` field:
//! `strict_date_optional_time_nanos||epoch_millis`.

use jiff::civil::Date;
use jiff::tz::Offset;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// Reads a time as nanoseconds since 1970. Returns `None` if it has none of these forms, or is
/// before 1970 or after April 2262: a `date_nanos` field cannot hold it, such as Go's zero time of
/// the year 1.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let nanos = date_optional_time(text).or_else(|| epoch_millis(text));
    nanos.filter(|nanos| *nanos >= 0)
}

/// Milliseconds since 1970, with up to six digits after the point.
fn epoch_millis(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 6 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let fraction = digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    whole.checked_mul(NANOS_PER_MILLI)?.checked_add(fraction)
}

/// `2026`, `2026-07`, `2026-07-01`, and behind the day `T12`, `:30`, `:59`, `.123456789`, and a
/// zone; UTC without one.
fn date_optional_time(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    let month = if rest.skip(b"-") { rest.digits(2)? } else { 1 };
    let has_day = rest.0.len() < text.len() - 4 && rest.skip(b"-");
    let day = if has_day { rest.digits(2)? } else { 1 };
    let date = Date::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    );
    let (mut time, mut offset) = ([0; 4], 0);
    if rest.skip(b"T") {
        time = rest.time()?;
        offset = rest.offset()?;
    }
    if !rest.0.is_empty() {
        return None;
    }
    let [hour, minute, second, nanos] = time;
    let date = date.ok()?.at(0, 0, 0, 0);
    let midnight = Offset::UTC.to_timestamp(date).ok()?.as_second();
    let seconds = midnight + i64::from(hour * 3_600 + minute * 60 + second) - offset;
    seconds
        .checked_mul(1_000_000_000)?
        .checked_add(nanos.into())
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// Skips one byte if it is one of these.
    fn skip(&mut self, any: &[u8]) -> bool {
        let is_next = self.0.first().is_some_and(|byte| any.contains(byte));
        if is_next {
            self.0 = &self.0[1..];
        }
        is_next
    }

    /// Reads a number of exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u32::from(byte - b'0'))
        })?;
        self.0 = rest;
        Some(number)
    }

    /// Reads hour, minute, second and nanosecond, as far as they are there.
    fn time(&mut self) -> Option<[u32; 4]> {
        let mut time = [0; 4];
        if !self.0.first().is_some_and(u8::is_ascii_digit) {
            return Some(time);
        }
        time[0] = self.digits(2).filter(|hour| *hour < 24)?;
        for part in &mut time[1..3] {
            if !self.skip(b":") {
                return Some(time);
            }
            *part = self.digits(2).filter(|part| *part < 60)?;
        }
        if self.skip(b".,") {
            let count = self
                .0
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let scale = 10_u32.pow(9_usize.checked_sub(count)?.try_into().ok()?);
            time[3] = self.digits(count).filter(|_| count > 0)? * scale;
        }
        Some(time)
    }

    /// Reads `Z`, `+02:00`, `+0200` or `+02`, in seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0.first() {
            None => return Some(0),
            Some(b'Z') => 0,
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        self.0 = &self.0[1..];
        if sign == 0 {
            return Some(0);
        }
        let hours = self.digits(2)?;
        let minutes = if self.skip(b":") || !self.0.is_empty() {
            self.digits(2)?
        } else {
            0
        };
        let seconds = hours * 3_600 + minutes * 60;
        // Java's limits
        (minutes < 60 && seconds <= 18 * 3_600).then(|| sign * i64::from(seconds))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_form_that_elasticsearch_accepts() {
        let noon = 1_782_907_200_000_000_000;
        for (text, expected) in [
            ("2026-07-01T12:00:00.000000Z", noon),
            ("2026-07-01T12:00:00,5Z", noon + 500_000_000),
            ("2026-07-01T12:00:00.123456789Z", noon + 123_456_789),
            ("2026-07-01T12:00:00", noon),
            ("2026-07-01T12:00Z", noon),
            ("2026-07-01T12", noon),
            ("2026-07-01T14:00:00+02:00", noon),
            ("2026-07-01T14:00:00+0200", noon),
            ("2026-07-01T14+02", noon),
            ("2026-07-01T07:30-04:30", noon),
            ("2026-07-01T", noon - 43_200_000_000_000),
            ("2026-07-01", noon - 43_200_000_000_000),
            ("2026-07", noon - 43_200_000_000_000),
            ("2026", 1_767_225_600_000_000_000),
            ("1782907200000", noon),
            ("1782907200000.25", noon + 250_000),
            ("0", 0),
            ("17829", 17_829_000_000),
            ("1970-01-01T02:00:00+02:00", 0),
            ("2262-04-11T23:47:16.854775807Z", i64::MAX),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn rejects_what_elasticsearch_rejects() {
        for text in [
            "",
            "now",
            "2026-13",
            "2026-02-30",
            "2026-07-01 12:00:00",
            "2026-7-1",
            "2026-07-01T24",
            "2026-07-01T12:60",
            "2026-07-01T12:00:60",
            "2026-07-01T12:00:00.",
            "2026-07-01T1",
            "2026-07-01T12:00:00.1234567890Z",
            "2026-07-01T12:00:00z",
            "2026-07-01T12:00:00Z ",
            "2026-07-01T12:00:00+2",
            "2026-07-01T12:00:00+19:00",
            "2026-07-01T12:00:00+18:01",
            "2026-07-01Z",
            "2026-",
            "20260701T12",
            "-1",
            "1.7e12",
            "1782907200000.",
            "99999999999999999999",
            "9999999999999999",
            "0001-01-01T00:00:00Z",
            "1677-09-21",
            "1969-12-31T23:59:59.999999999Z",
            "1970-01-01T00:00:00+02:00",
            "2262-04-11T23:47:16.854775808Z",
            "2262-04-12",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_was_written(nanos in 0..i64::MAX, hours in -18..=18_i8) {
            let time = Timestamp::from_nanosecond(nanos.into()).unwrap();
            prop_assert_eq!(parse(&format!("{time:.9}")), Some(nanos));
            let offset = Offset::from_hours(hours).unwrap();
            let text = time.display_with_offset(offset).to_string();
            prop_assert_eq!(parse(&text), Some(nanos));
        }

        #[test]
        fn a_whole_time_is_read_as_another_parser_reads_it(
            text in "(19|20|22)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][01][0-9]:[0-6][0-9])",
        ) {
            let offset = text.rsplit_once(['+', '-']).filter(|_| !text.ends_with('Z'));
            // Java's limit
            let is_far = offset.is_some_and(|(_, offset)| offset > "18:00");
            let is_leap_second = &text[17..19] == "60";
            let expected = text.parse::<Timestamp>().ok().filter(|_| !is_far && !is_leap_second);
            let nanos = expected.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
            prop_assert_eq!(parse(&text), nanos.filter(|nanos| *nanos >= 0));
        }

        #[test]
        fn what_is_read_is_one_of_the_documented_forms(text in "[0-9T:.,+Z-]{0,35}|[0-9]{4}(-[0-9]{2}){0,2}(T[0-9:,.]{0,9})?[Z+-]?[0-9:]{0,5}|.{0,10}") {
            let is_in = |digits: &str, allowed: &str| digits.chars().all(|c| allowed.contains(c));
            if parse(&text).is_some() {
                let is_millis = is_in(&text, "0123456789.");
                let is_date = text.get(..4).is_some_and(|year| is_in(year, "0123456789"))
                    && is_in(&text, "0123456789-T:.,Z+");
                prop_assert!(is_millis || is_date, "{}", text);
                prop_assert!(text.len() <= "2026-07-01T12:00:00.123456789+00:00".len());
            }
        }
    }
}
