//! Reads the form of time that records have, without a general parser: a shipper reads the time of
//! each line.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::calendar::days;

const FORM: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";

/// Reads a time in the form of [`text`](super::text). Returns `None` for other text.
pub(super) fn read(text: &str) -> Option<SystemTime> {
    let text: &[u8; FORM.len()] = text.as_bytes().try_into().ok()?;
    let mut pairs = text.iter().zip(FORM);
    let has_form = pairs.all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    if !has_form {
        return None;
    }
    let number = |digits: Range<usize>| {
        let digits = text[digits].iter();
        digits.fold(0, |number, digit| 10 * number + i64::from(digit - b'0'))
    };
    let [hour, minute, second] = [number(11..13), number(14..16), number(17..19)];
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(number(0..4), number(5..7), number(8..10))?;
    let seconds = 86_400 * days + 3_600 * hour + 60 * minute + second;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)?
    } else {
        UNIX_EPOCH.checked_add(distance)?
    };
    time.checked_add(Duration::from_micros(number(20..26).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_in_our_form_is_read_as_a_general_parser_reads_it(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9]\\.[0-9]{6}Z",
        ) {
            let expected = text.parse::<Timestamp>().ok().map(SystemTime::from);
            prop_assert_eq!(read(&text), expected);
        }

        #[test]
        fn a_time_in_another_form_is_left_to_the_general_parser(
            text in "[0-9]{4}-0[1-9]-1[0-9][T ][01][0-9]:[0-5][0-9]:[0-6][0-9][.,][0-9]{5,7}(Z|z|\\+00:00)",
        ) {
            let expected = text.parse::<Timestamp>().ok().map(SystemTime::from);
            let own = read(&text);
            prop_assert!(own.is_none() || own == expected, "{:?} {:?}", own, expected);
        }
    }

    #[test]
    fn days_that_do_not_exist_are_no_time() {
        for day in [
            "2026-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
        ] {
            assert_eq!(read(&format!("{day}T12:00:00.000000Z")), None, "{day}");
        }
        assert!(read("2000-02-29T12:00:00.000000Z").is_some());
    }
}
