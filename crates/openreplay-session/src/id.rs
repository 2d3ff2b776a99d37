use std::{fmt, num::NonZeroU8, str::FromStr};

use crate::{SessionIdError, error::Kind};

/// The id of an OpenReplay session.
///
/// An id consists of 1 to 64 bytes of `A-Z a-z 0-9 - _`, so it cannot forge a log line, break JSON
/// or move a terminal's cursor. Ids are stored inline: copying one does not allocate. Parsing
/// rejects `undefined`, `null` and `NaN`, which a page sends before it has an id. OpenReplay's own
/// ids are unsigned 64-bit integers in decimal, see [`as_u64`](Self::as_u64).
///
/// Ids are ordered like their text.
///
/// ```
/// use openreplay_session::SessionId;
///
/// let id: SessionId = "4950498349085463837".parse()?;
/// assert_eq!(id.as_str(), "4950498349085463837");
/// assert!("undefined".parse::<SessionId>().is_err());
/// assert!("42\nERROR forged".parse::<SessionId>().is_err());
/// # Ok::<(), openreplay_session::SessionIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// The size is a multiple of 8 and the text comes first: compilers copy an odd size in pieces, and
// `str::from_utf8` reads aligned words.
#[repr(C, align(8))]
pub struct SessionId {
    // Zero beyond `len`, so that the derived comparisons are correct.
    bytes: [u8; SessionId::MAX_LEN],
    // Never zero, so that `Option<SessionId>` is not larger than `SessionId`.
    len: NonZeroU8,
}

impl SessionId {
    /// The maximum length of an id in bytes.
    pub const MAX_LEN: usize = 64;

    /// Returns the id as text.
    ///
    /// ```
    /// # use openreplay_session::SessionId;
    /// assert_eq!(SessionId::from(42).as_str(), "42");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("only ASCII passes `parse`")
    }

    /// Returns the id as a number, if OpenReplay can look up the session with it.
    ///
    /// Returns `None` unless the id is an unsigned 64-bit integer in decimal without leading zeros:
    /// OpenReplay only searches for this form.
    ///
    /// ```
    /// # use openreplay_session::SessionId;
    /// let number = |text: &str| text.parse::<SessionId>().unwrap().as_u64();
    /// assert_eq!(number("18446744073709551615"), Some(u64::MAX));
    /// assert_eq!(number("18446744073709551616"), None);
    /// assert_eq!(number("007"), None);
    /// assert_eq!(number("checkout-7"), None);
    /// ```
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let bytes = self.as_bytes();
        if bytes.len() > 1 && bytes[0] == b'0' {
            return None;
        }
        // Numbers of up to 19 digits are below 2^64, so only the 20th digit can overflow.
        let (first, rest) = bytes.split_at(bytes.len().min(19));
        let (chunks, tail) = first.as_chunks();
        let number = chunks.iter().try_fold(0, |number, chunk| {
            Some(number * 100_000_000 + eight_digits(*chunk)?)
        })?;
        let number =
            (tail.iter()).try_fold(number, |number, byte| Some(number * 10 + digit(*byte)?))?;
        rest.iter().try_fold(number, |number, byte| {
            number.checked_mul(10)?.checked_add(digit(*byte)?)
        })
    }

    /// Returns the bytes of the id, all of which are ASCII.
    ///
    /// ```
    /// # use openreplay_session::SessionId;
    /// assert_eq!(SessionId::from(42).as_bytes(), b"42");
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len.get())]
    }

    #[inline]
    fn parse(value: &[u8]) -> Result<Self, Kind> {
        let len = u8::try_from(value.len()).ok().and_then(NonZeroU8::new);
        let mut bytes = [0; Self::MAX_LEN];
        if let (Some(len), Some(text)) = (len, bytes.get_mut(..value.len())) {
            text.copy_from_slice(value);
            // The compiler vectorises this loop because it has no early exit. The zeros beyond the
            // value are not allowed bytes, so they do not count.
            let allowed = (bytes.iter()).fold(0, |count, byte| count + u8::from(is_allowed(*byte)));
            if allowed == len.get() && !is_placeholder(value) {
                return Ok(Self { bytes, len });
            }
        }
        Err(Self::error(value))
    }

    /// Returns the reason why the value is not an id.
    #[cold]
    fn error(value: &[u8]) -> Kind {
        let at = value.iter().take_while(|byte| is_allowed(**byte)).count();
        match value.get(at) {
            _ if value.is_empty() => Kind::Empty,
            _ if value.len() > Self::MAX_LEN => Kind::TooLong(value.len()),
            Some(&byte) => Kind::Byte { byte, at },
            None => Kind::Placeholder,
        }
    }
}

/// Returns whether a page sends this value when it has no id yet.
#[inline]
fn is_placeholder(value: &[u8]) -> bool {
    matches!(value, b"undefined" | b"null" | b"NaN")
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

/// Parses eight digits at once: as bytes, then as pairs, then as fours.
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    // The first digit is the lowest byte.
    let text = u64::from_le_bytes(text);
    let high = text & 0xf0f0_f0f0_f0f0_f0f0;
    // A byte above `9` would carry into its upper half.
    let above = (text & 0x0f0f_0f0f_0f0f_0f0f) + 0x0606_0606_0606_0606;
    if high != 0x3030_3030_3030_3030 || above & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let ones = text & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

#[inline]
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.as_bytes())
    }
}

impl TryFrom<&str> for SessionId {
    type Error = SessionIdError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::try_from(text.as_bytes())
    }
}

impl TryFrom<&[u8]> for SessionId {
    type Error = SessionIdError;

    #[inline]
    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        Self::parse(bytes).map_err(SessionIdError::new)
    }
}

impl From<u64> for SessionId {
    fn from(mut number: u64) -> Self {
        // `u64::MAX` has 20 digits. They are written from the right.
        let mut digits = [0; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b"0123456789"[(number % 10) as usize];
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self::parse(&digits[start..]).expect("1 to 20 digits are an id")
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionId").field(&self.as_str()).finish()
    }
}

impl PartialEq<str> for SessionId {
    fn eq(&self, text: &str) -> bool {
        self.as_bytes() == text.as_bytes()
    }
}

impl PartialEq<&str> for SessionId {
    fn eq(&self, text: &&str) -> bool {
        *self == **text
    }
}

impl AsRef<str> for SessionId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
