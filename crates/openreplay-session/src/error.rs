use std::{error::Error, fmt};

/// The error returned if a value is not a session id, or not a token that contains one.
///
/// The message names what was found, its position, and what is allowed. The message never
/// contains the value, which may be a token.
///
/// ```
/// use openreplay_session::SessionId;
///
/// let error = "a b".parse::<SessionId>().unwrap_err();
/// assert_eq!(error.to_string(), "session id has byte 0x20 at position 1, allowed bytes are A-Z a-z 0-9 - _");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionIdError {
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Empty,
    Placeholder,
    TooLong(usize),
    Byte { byte: u8, at: usize },
    TokenParts(usize),
    TokenSession,
    TokenDelay,
    TokenExpiry,
    TokenSignature,
}

impl SessionIdError {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind }
    }

    /// Returns `true` if the value was missing rather than malformed.
    ///
    /// An empty value is missing, and so are `undefined`, `null` and `NaN`, which a page sends
    /// before it has an id.
    ///
    /// ```
    /// # use openreplay_session::SessionId;
    /// assert!("undefined".parse::<SessionId>().unwrap_err().is_absent());
    /// assert!(!"a b".parse::<SessionId>().unwrap_err().is_absent());
    /// ```
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.kind, Kind::Empty | Kind::Placeholder)
    }
}

impl fmt::Display for SessionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Empty => {
                f.write_str("session id is empty, expected 1 to 64 bytes of A-Z a-z 0-9 - _")
            }
            Kind::Placeholder => f.write_str(
                "session id is undefined, null or NaN: the page sent the request before it had an id",
            ),
            Kind::TooLong(len) => write!(f, "session id has {len} bytes, expected 1 to 64"),
            Kind::Byte { byte, at } => write!(
                f,
                "session id has byte {byte:#04x} at position {at}, allowed bytes are A-Z a-z 0-9 - _"
            ),
            Kind::TokenParts(found) => {
                write!(f, "token does not have 4 parts separated by dots, found {found}")
            }
            Kind::TokenSession => f.write_str(
                "part 1 of the token, the session id, is not an unsigned 64-bit integer in base 36",
            ),
            Kind::TokenDelay => {
                f.write_str("part 2 of the token, the delay, is not a 64-bit integer in base 36")
            }
            Kind::TokenExpiry => {
                f.write_str("part 3 of the token, the expiry, is not a 64-bit integer in base 36")
            }
            Kind::TokenSignature => {
                f.write_str("part 4 of the token, the signature, is not base 58")
            }
        }
    }
}

impl fmt::Debug for SessionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionIdError")
            .field(&self.to_string())
            .finish()
    }
}

impl Error for SessionIdError {}
