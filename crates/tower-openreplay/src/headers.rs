//! Which session headers name: one rule for requests that come in and for those that go out.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName};
use openreplay_session::SessionId;

use crate::names::{HEADERS, OPENREPLAY_SESSION_ID, TOKEN_HEADERS};

/// Returns the session that these headers name, if they name one: the default names, by
/// [the rule](crate::session#where-the-id-is-looked-for) that [`SessionLayer`](crate::SessionLayer) follows.
///
/// For code that has headers but no Tower service. [`SessionLayer::session_of`](crate::SessionLayer::session_of) reads the names
/// that a layer is configured with. Neither marks values as sensitive; the layer's service does.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use tower_openreplay::session_of;
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(session_of(&headers), None);
///
/// headers.append("openReplaySession.id", HeaderValue::from_static("42"));
/// assert_eq!(session_of(&headers).unwrap(), "42");
///
/// // two ids contradict each other
/// headers.append("openReplaySession.id", HeaderValue::from_static("43"));
/// assert_eq!(session_of(&headers), None);
/// ```
#[must_use]
pub fn session_of(headers: &HeaderMap) -> Option<SessionId> {
    static DEFAULT: LazyLock<Names> = LazyLock::new(Names::default);
    DEFAULT.session_of(headers)
}

/// The names of the headers that are read.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    id_header: HeaderName,
    token_headers: Vec<HeaderName>,
    /// The length of the shortest name, the default ones included: passes over most headers of a browser at once.
    shortest: usize,
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self {
            id_header: OPENREPLAY_SESSION_ID,
            token_headers: TOKEN_HEADERS.to_vec(),
            shortest: 0,
        };
        names.measure();
        names
    }
}

impl Names {
    pub(crate) fn id_header(&self) -> &HeaderName {
        &self.id_header
    }

    pub(crate) fn set_id_header(&mut self, name: HeaderName) {
        self.id_header = name;
        self.measure();
    }

    pub(crate) fn set_token_headers(&mut self, names: Vec<HeaderName>) {
        self.token_headers = names;
        self.measure();
    }

    fn measure(&mut self) {
        // of the default names the id's is the shortest
        let default = OPENREPLAY_SESSION_ID.as_str().len();
        let lens = self.token_headers.iter().map(|name| name.as_str().len());
        self.shortest = lens.fold(default.min(self.id_header.as_str().len()), usize::min);
    }

    /// Returns the session that these headers name.
    pub(crate) fn session_of(&self, headers: &HeaderMap) -> Option<SessionId> {
        let mut read = Read::default();
        self.read(headers, &mut read);
        read.session()
    }

    /// Returns the same, and marks the values that hold a token as sensitive, those that are not read, too.
    pub(crate) fn session_of_and_mark(&self, headers: &mut HeaderMap) -> Option<SessionId> {
        let mut read = Read::default();
        self.read(headers, &mut read);
        if read.has_token {
            self.mark(headers);
        }
        read.session()
    }

    // one pass: for the few headers of a request faster than to hash three names
    fn read(&self, headers: &HeaderMap, read: &mut Read) {
        for (name, value) in headers {
            if let Some(role) = self.role_of(name) {
                read.value(role, value.as_bytes());
            }
        }
    }

    // apart from the reading: most requests hold no token
    #[cold]
    fn mark(&self, headers: &mut HeaderMap) {
        for (name, value) in headers.iter_mut() {
            let role = self.role_of(name);
            if role.is_some_and(|role| role.holds_token(value.as_bytes())) {
                value.set_sensitive(true);
            }
        }
    }

    #[inline]
    fn role_of(&self, name: &HeaderName) -> Option<Role> {
        if name.as_str().len() < self.shortest {
            return None;
        }
        self.role_of_long(name)
    }

    #[cold]
    fn role_of_long(&self, name: &HeaderName) -> Option<Role> {
        if *name == self.id_header {
            return Some(Role::Id);
        }
        let rank = self.token_headers.iter().position(|header| header == name);
        rank.map(Role::Token).or_else(|| match name {
            name if TOKEN_HEADERS.contains(name) => Some(Role::UnreadToken),
            name if *name == OPENREPLAY_SESSION_ID => Some(Role::UnreadId),
            _ => None,
        })
    }

    /// Returns the one id under the id's name: nothing if there is a token, a second id or anything malformed as well.
    pub(crate) fn lone_id(&self, headers: &HeaderMap) -> Option<SessionId> {
        let mut found = Found::default();
        for value in headers.get_all(&self.id_header) {
            pieces(value.as_bytes()).for_each(|piece| found.add(piece));
        }
        found.id()
    }

    /// Removes every header that names a session, those with the default names, too.
    pub(crate) fn remove_from(&self, headers: &mut HeaderMap) {
        let custom = self.token_headers.iter().chain([&self.id_header]);
        for name in HEADERS.iter().chain(custom) {
            headers.remove(name);
        }
    }
}

/// What a header is read for.
#[derive(Clone, Copy)]
enum Role {
    Id,
    /// With its rank among the names.
    Token(usize),
    /// A default name where another is read.
    UnreadId,
    UnreadToken,
}

impl Role {
    fn holds_token(self, value: &[u8]) -> bool {
        match self {
            Self::Id | Self::UnreadId => is_token(value),
            Self::Token(_) | Self::UnreadToken => true,
        }
    }
}

/// Whether a value under the id's name is, or has in it, a token: no id has a dot, every token has.
fn is_token(value: &[u8]) -> bool {
    value.contains(&b'.')
}

/// What the headers that were read so far say.
#[derive(Default)]
struct Read {
    id: Found,
    /// Of the token headers' last tokens: the rank of the name among them, and the session.
    token: Option<(usize, SessionId)>,
    has_token: bool,
}

impl Read {
    fn value(&mut self, role: Role, value: &[u8]) {
        match role {
            Role::Id => {
                // a value that is an id needs no search for commas and dots
                if let Ok(session) = SessionId::try_from(value) {
                    return self.id.add_id(session);
                }
                pieces(value).for_each(|piece| self.id.add(piece));
            }
            Role::Token(rank) => self.token(rank, value),
            Role::UnreadId | Role::UnreadToken => {}
        }
        self.has_token |= role.holds_token(value);
    }

    fn token(&mut self, rank: usize, value: &[u8]) {
        if let Some(session) = last_token(value)
            && self.token.is_none_or(|(other, _)| rank <= other)
        {
            self.token = Some((rank, session));
        }
    }

    fn session(&self) -> Option<SessionId> {
        let token = self.token.map(|(_, session)| session);
        self.id.session().or(token)
    }
}

/// What the values under one name say together.
#[derive(Default)]
pub(crate) struct Found {
    token: Option<SessionId>,
    id: Option<SessionId>,
    malformed: bool,
}

impl Found {
    fn add(&mut self, value: &[u8]) {
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

    pub(crate) fn add_malformed(&mut self) {
        self.malformed = true;
    }

    fn add_id(&mut self, id: SessionId) {
        if self.id.is_none_or(|other| other == id) {
            self.id = Some(id);
        } else {
            self.malformed = true;
        }
    }

    pub(crate) fn session(&self) -> Option<SessionId> {
        self.token.or(self.id.filter(|_| !self.malformed))
    }

    fn id(self) -> Option<SessionId> {
        self.id.filter(|_| !self.malformed && self.token.is_none())
    }
}

fn last_token(value: &[u8]) -> Option<SessionId> {
    // mostly there is one, and nothing else
    let alone = SessionId::from_token(value).ok();
    alone.or_else(|| {
        pieces(value)
            .filter_map(|piece| SessionId::from_token(piece).ok())
            .last()
    })
}

fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}
