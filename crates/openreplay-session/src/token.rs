use crate::{SessionId, SessionIdError, error::Kind};

impl SessionId {
    /// Reads the session id from a token, which OpenReplay's tracker sends in the header
    /// `X-OpenReplay-SessionToken`.
    ///
    /// A token has four parts separated by dots: the session id, a delay and an expiry in base 36,
    /// and a signature in base 58. All four must be present and well-formed. The signature and the
    /// expiry are not verified, so an expired token still yields its session id.
    ///
    /// A token is a credential: its holder can write into the recording. Only the id is kept, and
    /// errors contain no part of the token.
    ///
    /// ```
    /// use openreplay_session::SessionId;
    ///
    /// let id = SessionId::from_token("11m0l7dhxvfh9.1c.mr3k5wxs.3xYqTdn")?;
    /// assert_eq!(id.as_u64(), Some(4_950_498_349_085_463_837));
    /// # Ok::<(), openreplay_session::SessionIdError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not a well-formed token, or if its first part does not fit
    /// into a `u64`.
    pub fn from_token(token: impl AsRef<[u8]>) -> Result<Self, SessionIdError> {
        parse(token.as_ref())
            .map(Self::from)
            .map_err(SessionIdError::new)
    }
}

fn parse(token: &[u8]) -> Result<u64, Kind> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(session), Some(delay), Some(expiry), Some(signature), None) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return Err(Kind::TokenParts(token.split(|byte| *byte == b'.').count()));
    };
    let session = unsigned(session).ok_or(Kind::TokenSession)?;
    signed(delay).ok_or(Kind::TokenDelay)?;
    signed(expiry).ok_or(Kind::TokenExpiry)?;
    // Without an early exit, the compiler compares many bytes at once.
    let is_base_58 = signature
        .iter()
        .fold(true, |all, byte| all & is_base_58(*byte));
    if signature.is_empty() || !is_base_58 {
        return Err(Kind::TokenSignature);
    }
    Ok(session)
}

// Accepts what Go's `ParseUint` accepts, so no sign.
fn unsigned(digits: &[u8]) -> Option<u64> {
    let text = str::from_utf8(digits)
        .ok()
        .filter(|text| !text.starts_with('+'))?;
    u64::from_str_radix(text, 36).ok()
}

// The delay is negative if the page's clock is ahead of the server's.
fn signed(digits: &[u8]) -> Option<i64> {
    i64::from_str_radix(str::from_utf8(digits).ok()?, 36).ok()
}

// Bitcoin's base 58, which has no 0, O, I or l. OpenReplay's `backend/pkg/token/tokenizer.go`
// encodes the signature with it.
fn is_base_58(byte: u8) -> bool {
    matches!(byte, b'1'..=b'9' | b'A'..=b'H' | b'J'..=b'N' | b'P'..=b'Z' | b'a'..=b'k' | b'm'..=b'z')
}
