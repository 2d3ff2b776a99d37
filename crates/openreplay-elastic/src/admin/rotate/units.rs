use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::Error;

/// A span of time as Elasticsearch writes it: a whole number and `d`, `h`, `m` or `s`.
///
/// ```
/// use openreplay_elastic::admin::rotate::Age;
///
/// let age: Age = "14d".parse()?;
/// assert_eq!(age.duration().as_secs(), 14 * 24 * 60 * 60);
/// assert_eq!(age.to_string(), "14d");
/// # Ok::<(), openreplay_elastic::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(Quantity);

/// A number of bytes as Elasticsearch writes it: a whole number and `b`, `kb`, `mb`, `gb` or `tb`, powers of 1024.
///
/// ```
/// use openreplay_elastic::admin::rotate::Size;
///
/// let size: Size = "20gb".parse()?;
/// assert_eq!(size.bytes(), 20 << 30);
/// assert_eq!("20GB".parse::<Size>()?, size);
/// # Ok::<(), openreplay_elastic::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(Quantity);

const AGES: [(&str, u64); 4] = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];
const SIZES: [(&str, u64); 5] = [
    ("tb", 1 << 40),
    ("gb", 1 << 30),
    ("mb", 1 << 20),
    ("kb", 1 << 10),
    ("b", 1),
];

impl Age {
    /// The same as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.product())
    }
}

impl Size {
    /// The same in bytes.
    pub fn bytes(self) -> u64 {
        self.0.product()
    }
}

impl FromStr for Age {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Quantity::parse(text, &AGES).map(Self);
        found.ok_or_else(|| {
            Error::config(format!(
                "{text:?} is no span of time: expected one such as 7d, 12h, 30m or 45s"
            ))
        })
    }
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Quantity::parse(text, &SIZES).map(Self);
        found.ok_or_else(|| {
            Error::config(format!(
                "{text:?} is no size: expected one such as 20gb or 500mb"
            ))
        })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quantity {
    number: u64,
    unit: &'static str,
    factor: u64,
}

impl Quantity {
    /// No sign, no fraction, no space, and nothing that is more than an `i64` holds, which is what Elasticsearch reads into.
    fn parse(text: &str, units: &[(&'static str, u64)]) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(end);
        let &(unit, factor) = units
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        let number: u64 = number.parse().ok()?;
        let product = number.checked_mul(factor)?;
        (product <= i64::MAX.unsigned_abs()).then_some(Self {
            number,
            unit,
            factor,
        })
    }

    fn product(self) -> u64 {
        self.number * self.factor
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.unit)
    }
}
