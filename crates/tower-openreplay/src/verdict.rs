//! Decides which session the values of one source name.

use openreplay_session::SessionId;

/// The session that one source, or all sources so far, name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Session(SessionId),
    /// The source names different ids. The request has no session, and no other source is read.
    Contradiction,
    /// The source contains no valid id, so the next source is read.
    Nothing,
}

impl Verdict {
    pub(crate) fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::Contradiction | Self::Nothing => None,
        }
    }
}

/// The ids and tokens found in the values of one source.
#[derive(Default)]
pub(crate) struct Candidates {
    pub(crate) token: Option<SessionId>,
    id: Option<SessionId>,
    malformed: bool,
    contradictory: bool,
}

impl Candidates {
    pub(crate) fn add(&mut self, value: &[u8]) {
        if !is_token(value) {
            return self.add_plain(value);
        }
        match SessionId::from_token(value) {
            Ok(id) => self.token = Some(id),
            Err(_) => self.malformed = true,
        }
    }

    pub(crate) fn add_plain(&mut self, value: &[u8]) {
        match SessionId::try_from(value) {
            Ok(id) => self.add_id(id),
            Err(error) if error.is_absent() => {}
            Err(_) => self.malformed = true,
        }
    }

    /// Adds a value of a source that may contain ids of other programs, so that every id other than
    /// a number is malformed.
    #[cfg(feature = "baggage")]
    pub(crate) fn add_number(&mut self, value: &[u8]) {
        match SessionId::try_from(value) {
            Ok(id) if id.as_u64().is_none() => self.malformed = true,
            _ => self.add_plain(value),
        }
    }

    pub(crate) fn add_malformed(&mut self) {
        self.malformed = true;
    }

    pub(crate) fn add_id(&mut self, id: SessionId) {
        if self.id.is_none_or(|other| other == id) {
            self.id = Some(id);
        } else {
            self.contradictory = true;
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match (self.token, self.id) {
            (Some(id), _) => Verdict::Session(id),
            _ if self.contradictory => Verdict::Contradiction,
            (None, Some(id)) if !self.malformed => Verdict::Session(id),
            _ => Verdict::Nothing,
        }
    }
}

/// Returns whether a value under the id's name contains a token: every token contains a dot, and no
/// id does.
pub(crate) fn is_token(value: &[u8]) -> bool {
    value.contains(&b'.')
}
