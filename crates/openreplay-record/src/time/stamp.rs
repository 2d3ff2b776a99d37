use std::time::SystemTime;

use super::calendar::{date_time, micros_text, since_epoch};

const LENGTH: usize = 84;
const TEMPLATE: [u8; LENGTH] =
    *br#"{"@timestamp":"0000-00-00T00:00:00.000000Z","utc_time":"0000-00-00T00:00:00.000000Z""#;
const AT: [usize; 2] = [15, 56];
const MICROS: usize = "0000-00-00T00:00:00.".len();

/// Writes the beginning of records: the time, under both of its names.
///
/// A `Stamp` keeps the text of the last second, so usually only six digits change from one record
/// to the next. It does not allocate, except to grow `out`.
///
/// ```
/// use std::time::UNIX_EPOCH;
///
/// use openreplay_record::time::Stamp;
///
/// let mut line = Vec::new();
/// Stamp::default().write(&mut line, UNIX_EPOCH);
/// let expected = br#"{"@timestamp":"1970-01-01T00:00:00.000000Z","utc_time":"1970-01-01T00:00:00.000000Z""#;
/// assert_eq!(line, expected);
/// ```
#[derive(Clone, Debug)]
pub struct Stamp {
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
    /// Appends `{"@timestamp":"…","utc_time":"…"` to `out`, without closing the object.
    ///
    /// A time outside the years 0 to 9999 is clamped to them.
    #[inline]
    pub fn write(&mut self, out: &mut Vec<u8>, time: SystemTime) {
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
        // The digits are written to `out`, not to the kept text: processors are slow to copy memory
        // that was written in pieces shortly before.
        let digits = micros_text(micros);
        let text = &mut out[start..];
        for at in AT {
            text[at + MICROS..][..digits.len()].copy_from_slice(&digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::field;

    fn written(stamp: &mut Stamp, time: SystemTime) -> String {
        let mut out = Vec::new();
        stamp.write(&mut out, time);
        String::from_utf8(out).unwrap()
    }

    fn after(seconds: u64, nanos: u32) -> SystemTime {
        UNIX_EPOCH + Duration::new(seconds, nanos)
    }

    #[test]
    fn the_kept_second_is_replaced_when_the_second_changes() {
        let mut stamp = Stamp::default();
        for seconds in [5, 5, 6, 4] {
            let text = written(&mut stamp, after(seconds, 7_000));
            assert!(
                text.contains(&format!("00:00:0{seconds}.000007Z")),
                "{text}"
            );
        }
    }

    #[test]
    fn writes_the_time_under_both_field_names() {
        let text = written(&mut Stamp::default(), after(1_782_907_200, 250_000_000));
        let time = crate::time::text(after(1_782_907_200, 250_000_000));
        let [first, second] = [field::TIMESTAMP, field::UTC_TIME];
        assert_eq!(text, format!(r#"{{"{first}":"{time}","{second}":"{time}""#));
    }
}
