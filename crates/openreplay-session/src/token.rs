use crate::{SessionId, SessionIdError, error::Kind};

impl SessionId {
    /// The session id in a token of OpenReplay's tracker, which it sends as
    /// `X-OpenReplay-SessionToken`.
    ///
    /// A token is four parts joined by dots: session id, delay and expiry in base 36, signature in
    /// base 58. All four must be there and well-formed. Only the id is kept: the rest lets its
    /// holder write into the recording, and is neither checked against OpenReplay nor shown
    /// anywhere. A token that has expired still names its session.
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
    /// If the value does not have a token's shape, or its first part does not fit into a `u64`.
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
    // no early way out: so the compiler compares many bytes at once
    let is_base_58 = signature
        .iter()
        .fold(true, |all, byte| all & is_base_58(*byte));
    if signature.is_empty() || !is_base_58 {
        return Err(Kind::TokenSignature);
    }
    Ok(session)
}

// as Go's `ParseUint`: no sign
fn unsigned(digits: &[u8]) -> Option<u64> {
    let text = str::from_utf8(digits)
        .ok()
        .filter(|text| !text.starts_with('+'))?;
    u64::from_str_radix(text, 36).ok()
}

// the delay is below zero where the page's clock is ahead of the server's
fn signed(digits: &[u8]) -> Option<i64> {
    i64::from_str_radix(str::from_utf8(digits).ok()?, 36).ok()
}

// Bitcoin's base 58, as OpenReplay's `backend/pkg/token/tokenizer.go` signs with: no 0, O, I and l
fn is_base_58(byte: u8) -> bool {
    matches!(byte, b'1'..=b'9' | b'A'..=b'H' | b'J'..=b'N' | b'P'..=b'Z' | b'a'..=b'k' | b'm'..=b'z')
}
