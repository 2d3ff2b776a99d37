use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::transport::error::Error;

/// A span of time, in whole seconds. Its text is Elasticsearch's: a whole number and `d`, `h`, `m`
/// or `s`.
///
/// ```
/// use std::time::Duration;
/// use openreplay_elastic::admin::Age;
///
/// let age: Age = "14d".parse()?;
/// assert_eq!(Duration::from(age).as_secs(), 14 * 24 * 60 * 60);
/// assert_eq!(age.to_string(), "14d");
/// assert_eq!(Age::from(Duration::from_secs(90 * 60)).to_string(), "90m");
/// # Ok::<(), openreplay_elastic::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age {
    seconds: u64,
}

/// A number of bytes. Its text is Elasticsearch's: a whole number and `b`, `kb`, `mb`, `gb` or
/// `tb`, powers of 1024.
///
/// ```
/// use openreplay_elastic::admin::Size;
///
/// let size: Size = "20gb".parse()?;
/// assert_eq!(size.bytes(), 20 << 30);
/// assert_eq!("20GB".parse::<Size>()?, size);
/// assert_eq!(Size::from_bytes(1536).to_string(), "1536b");
/// # Ok::<(), openreplay_elastic::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    bytes: u64,
}

/// The largest first.
const AGES: [(&str, u64); 4] = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];
/// The largest first.
const SIZES: [(&str, u64); 5] = [
    ("tb", 1 << 40),
    ("gb", 1 << 30),
    ("mb", 1 << 20),
    ("kb", 1 << 10),
    ("b", 1),
];
/// What Elasticsearch reads a quantity into.
const MOST: u64 = i64::MAX as u64;

/// Rounds up to whole seconds.
impl From<Duration> for Age {
    fn from(duration: Duration) -> Self {
        let whole = duration.as_secs();
        let part = u64::from(duration.subsec_nanos() > 0);
        Self {
            seconds: whole.saturating_add(part).min(MOST),
        }
    }
}

impl From<Age> for Duration {
    fn from(age: Age) -> Self {
        Self::from_secs(age.seconds)
    }
}

impl Size {
    /// Returns the size of so many bytes, at most [`i64::MAX`], which is Elasticsearch's limit.
    #[must_use]
    pub fn from_bytes(bytes: u64) -> Self {
        Self {
            bytes: bytes.min(MOST),
        }
    }

    /// Returns the number of bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.bytes
    }
}

impl FromStr for Age {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let seconds = parse(text, &AGES).ok_or_else(|| {
            Error::config(format!(
                "{text:?} is not a span of time: expected one such as 7d, 12h, 30m or 45s"
            ))
        })?;
        Ok(Self { seconds })
    }
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = parse(text, &SIZES).ok_or_else(|| {
            Error::config(format!(
                "{text:?} is not a size: expected one such as 20gb or 500mb"
            ))
        })?;
        Ok(Self { bytes })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.seconds, &AGES)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.bytes, &SIZES)
    }
}

/// Reads a whole number and a unit: no sign, no fraction, no space.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    let number: u64 = number.parse().ok()?;
    number
        .checked_mul(*factor)
        .filter(|product| *product <= MOST)
}

/// Writes a quantity in the largest unit of which it is a multiple.
fn show(f: &mut fmt::Formatter<'_>, quantity: u64, units: &[(&str, u64)]) -> fmt::Result {
    let fits = |(_, factor): &&(&str, u64)| quantity > 0 && quantity.is_multiple_of(*factor);
    let (unit, factor) = units.iter().find(fits).or(units.last()).unwrap_or(&("", 1));
    write!(f, "{}{unit}", quantity / factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rejects_what_is_not_an_age_or_a_size_and_names_what_is() {
        for text in [
            "",
            "d",
            "7",
            "7 d",
            "-7d",
            "1.5d",
            "7w",
            "99999999999999999999d",
            "999999999999999999d",
            "7d7d",
        ] {
            let error = text.parse::<Age>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{text:?} is not a span of time: expected one such as 7d, 12h, 30m or 45s")
            );
            assert!(error.is_config());
        }
        let error = "20".parse::<Size>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#""20" is not a size: expected one such as 20gb or 500mb"#
        );
    }

    proptest! {
        #[test]
        fn a_duration_is_read_back_from_its_text_rounded_up(seconds in any::<u64>(), nanos in 0..1_000_000_000_u32) {
            let age = Age::from(Duration::new(seconds, nanos));
            prop_assert_eq!(age.to_string().parse::<Age>().unwrap(), age);
            let expected = seconds.saturating_add(u64::from(nanos > 0)).min(MOST);
            prop_assert_eq!(Duration::from(age), Duration::from_secs(expected));
        }
    }

    /// Reads a quantity independently of the implementation.
    fn read(text: &str, units: &[(&str, u64)]) -> Option<u64> {
        let text = text.to_ascii_lowercase();
        units.iter().find_map(|(unit, factor)| {
            let digits = text.strip_suffix(unit)?;
            let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
            let number: u128 = digits.parse().ok().filter(|_| is_number)?;
            let quantity = number.checked_mul(u128::from(*factor))?;
            i64::try_from(quantity).ok()?.try_into().ok()
        })
    }

    proptest! {
        #[test]
        fn a_text_is_a_quantity_exactly_if_it_is_a_number_and_a_unit(
            text in "[0-9]{1,20}[dhms]|[0-9]{1,20}[kmgtKMGT]?[bB]|[-+ ]?[0-9]{0,2}[ .,]?[0-9]{0,2}[a-zA-Z]{0,2}|.{0,4}",
        ) {
            let age = text.parse::<Age>().ok();
            prop_assert_eq!(age.map(|age| Duration::from(age).as_secs()), read(&text, &AGES));
            let size = text.parse::<Size>().ok();
            prop_assert_eq!(size.map(Size::bytes), read(&text, &SIZES));
            if let Some(size) = size {
                prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
            }
        }
    }

    /// The units of Elasticsearch (`ByteSizeUnit`, `TimeValue`), in either case.
    #[test]
    fn each_unit_is_what_elasticsearch_makes_of_it() {
        for (unit, bytes) in [
            ("b", 1),
            ("kb", 1_024),
            ("mb", 1_048_576),
            ("gb", 1_073_741_824),
            ("tb", 1_099_511_627_776),
        ] {
            for text in [format!("3{unit}"), format!("3{}", unit.to_uppercase())] {
                let size: Size = text.parse().unwrap();
                assert_eq!(
                    (size.bytes(), size.to_string()),
                    (3 * bytes, format!("3{unit}"))
                );
            }
        }
        for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)] {
            for text in [format!("3{unit}"), format!("3{}", unit.to_uppercase())] {
                let age: Age = text.parse().unwrap();
                assert_eq!(
                    (Duration::from(age).as_secs(), age.to_string()),
                    (3 * seconds, format!("3{unit}"))
                );
            }
        }
        assert_eq!(Age::from(Duration::ZERO).to_string(), "0s");
    }
}
