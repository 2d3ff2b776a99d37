//! Finds the session that headers name, with one rule for incoming and outgoing requests.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use openreplay_session::{Scope, SessionId};

use crate::{
    names::{HEADERS, OPENREPLAY_SESSION_ID, TOKEN_HEADERS},
    verdict::{Candidates, Verdict, is_token},
};

/// Returns the session that headers with the default names contain, if any.
///
/// Use this in code that has headers but no Tower service. The
/// [rules](crate::session#sources-of-the-id) are those of [`SessionLayer`](crate::SessionLayer),
/// except that no value is marked as sensitive. For headers with other names, use
/// [`SessionHeaders::session_of`].
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
/// // different ids contradict each other
/// headers.append("openReplaySession.id", HeaderValue::from_static("43"));
/// assert_eq!(session_of(&headers), None);
/// ```
#[must_use]
pub fn session_of(headers: &HeaderMap) -> Option<SessionId> {
    DEFAULT.session_of(headers)
}

/// The default names, which the free functions use.
pub(crate) static DEFAULT: LazyLock<SessionHeaders> = LazyLock::new(SessionHeaders::default);

/// The names of the headers that contain a session, for incoming and outgoing requests.
///
/// Pass the same value to [`SessionLayer::with_headers`](crate::SessionLayer::with_headers) and to
/// [`PropagateSessionLayer::with_headers`](crate::PropagateSessionLayer::with_headers), so that
/// outgoing requests forward no token that came in under a custom name.
///
/// ```
/// use http::HeaderName;
/// use tower_openreplay::{PropagateSessionLayer, SessionHeaders, SessionLayer};
///
/// let headers = SessionHeaders::new()
///     .with_id_header(HeaderName::from_static("x-session"))
///     .with_token_headers([HeaderName::from_static("x-tracker")]);
/// let incoming = SessionLayer::new().with_headers(headers.clone());
/// let outgoing = PropagateSessionLayer::to_hosts(["stock.internal"])?.with_headers(headers);
/// # let _ = (incoming, outgoing);
/// # Ok::<(), tower_openreplay::propagate::HostError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionHeaders {
    id_header: HeaderName,
    token_headers: Vec<HeaderName>,
    /// The length of the shortest name, including the default names. Comparing lengths skips most
    /// of a browser's headers.
    shortest: usize,
}

impl Default for SessionHeaders {
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

impl SessionHeaders {
    /// Creates the default names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the header that contains the id. Default: `openReplaySession.id`.
    #[must_use]
    pub fn with_id_header(mut self, name: HeaderName) -> Self {
        self.id_header = name;
        self.measure();
        self
    }

    /// Sets the headers that contain the tracker's token.
    ///
    /// Default: `X-OpenReplay-SessionToken` and `X-OpenReplay-Session-Token`. If the list is empty,
    /// no token header is read. Propagation removes headers with the default names in any case.
    #[must_use]
    pub fn with_token_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.token_headers = names.into_iter().collect();
        self.measure();
        self
    }

    /// Returns the session that headers with these names contain, if any.
    ///
    /// The [rules](crate::session#sources-of-the-id) are those of
    /// [`SessionLayer`](crate::SessionLayer).
    ///
    /// ```
    /// use http::{HeaderMap, HeaderName, HeaderValue};
    /// use tower_openreplay::SessionHeaders;
    ///
    /// let name = HeaderName::from_static("x-session");
    /// let names = SessionHeaders::new().with_id_header(name.clone());
    /// let headers = HeaderMap::from_iter([(name, HeaderValue::from_static("42"))]);
    /// assert_eq!(names.session_of(&headers).unwrap(), "42");
    /// ```
    #[must_use]
    pub fn session_of(&self, headers: &HeaderMap) -> Option<SessionId> {
        or_baggage(self.read(headers), headers).session()
    }

    /// Sets the id's header to the current session and removes all other headers that contain a
    /// session.
    ///
    /// The [rules](crate::propagate#what-happens-to-the-headers) are those of
    /// [`PropagateSessionLayer`](crate::PropagateSessionLayer), except that the host is not
    /// checked: only call this method for hosts that may receive the session.
    /// [`propagate_session`](crate::propagate_session) does the same with the default names.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderName};
    /// use openreplay_session::{SessionId, sync_scope};
    /// use tower_openreplay::SessionHeaders;
    ///
    /// let names = SessionHeaders::new().with_id_header(HeaderName::from_static("x-session"));
    /// let mut headers = HeaderMap::new();
    /// sync_scope(SessionId::from(42), || names.propagate(&mut headers));
    /// assert_eq!(headers["x-session"], "42");
    /// ```
    pub fn propagate(&self, headers: &mut HeaderMap) {
        let session = match Scope::current() {
            Scope::Session(id) => Some(id),
            Scope::NoSession => None,
            Scope::Unset => self.forwardable(headers),
        };
        self.remove_headers(headers);
        if let Some(id) = session {
            headers.insert(&self.id_header, HeaderValue::from(id));
        }
        #[cfg(feature = "baggage")]
        crate::baggage::set(headers, session);
    }

    fn measure(&mut self) {
        // The id's name is the shortest of the default names.
        let default = OPENREPLAY_SESSION_ID.as_str().len();
        let lens = self.token_headers.iter().map(|name| name.as_str().len());
        self.shortest = lens.fold(default.min(self.id_header.as_str().len()), usize::min);
    }

    /// Returns the verdict on these headers, and marks all values that contain a token as
    /// sensitive, including values that are not read.
    #[inline]
    pub(crate) fn read_and_mark(&self, headers: &mut HeaderMap) -> Verdict {
        let verdict = self.read_names_and_mark(headers);
        #[cfg(feature = "baggage")]
        crate::baggage::mark(headers);
        or_baggage(verdict, headers)
    }

    fn read_names_and_mark(&self, headers: &mut HeaderMap) -> Verdict {
        // For the few headers of a request, this is faster than hashing three names.
        let Some(first) = self.first_of(headers) else {
            return Verdict::Nothing;
        };
        let mut read = Read::default();
        for (name, value) in headers.iter_mut().skip(first) {
            if let Some(role) = self.role_of(name)
                && read.value(role, value.as_bytes())
            {
                value.set_sensitive(true);
            }
        }
        read.verdict()
    }

    fn read(&self, headers: &HeaderMap) -> Verdict {
        let mut read = Read::default();
        for (name, value) in headers {
            if let Some(role) = self.role_of(name) {
                read.value(role, value.as_bytes());
            }
        }
        read.verdict()
    }

    /// Returns the number of names before the first one that can have a role. Each of them has at
    /// least one value, so skipping this many values skips no value of a later name.
    ///
    /// Iterating over names is faster than over values, and in many requests no name has a role.
    fn first_of(&self, headers: &HeaderMap) -> Option<usize> {
        headers.keys().position(|name| self.is_long(name))
    }

    #[inline]
    fn is_long(&self, name: &HeaderName) -> bool {
        name.as_str().len() >= self.shortest
    }

    #[inline]
    fn role_of(&self, name: &HeaderName) -> Option<Role> {
        if !self.is_long(name) {
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

    /// Returns the session to forward if none was entered: the only id under the id's name or, if
    /// the headers name nothing, the id in the baggage.
    fn forwardable(&self, headers: &HeaderMap) -> Option<SessionId> {
        let lone_id = self.lone_id(headers);
        #[cfg(feature = "baggage")]
        if self.read(headers) == Verdict::Nothing {
            return crate::baggage::verdict(headers).session();
        }
        lone_id
    }

    /// Returns the only id under the id's name, or `None` if there is also a token, a different id
    /// or a malformed value.
    fn lone_id(&self, headers: &HeaderMap) -> Option<SessionId> {
        let mut found = Candidates::default();
        for value in headers.get_all(&self.id_header) {
            pieces(value.as_bytes()).for_each(|piece| found.add(piece));
        }
        found.verdict().session().filter(|_| found.token.is_none())
    }

    /// Removes everything that names a session, including headers with the default names.
    pub(crate) fn remove_from(&self, headers: &mut HeaderMap) {
        self.remove_headers(headers);
        #[cfg(feature = "baggage")]
        crate::baggage::set(headers, None);
    }

    fn remove_headers(&self, headers: &mut HeaderMap) {
        let custom = self.token_headers.iter().chain([&self.id_header]);
        for name in HEADERS.iter().chain(custom) {
            headers.remove(name);
        }
    }
}

/// The role of a header, according to its name.
#[derive(Clone, Copy)]
enum Role {
    Id,
    /// A token header, with its rank among the names.
    Token(usize),
    /// The default name of the id, if a custom name replaces it.
    UnreadId,
    /// A default name of the token, if custom names replace it.
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

/// The sessions in the headers that were read so far.
#[derive(Default)]
struct Read {
    id: Candidates,
    /// The session in the token header of the lowest rank, and that rank.
    token: Option<(usize, SessionId)>,
}

impl Read {
    /// Reads a value. Returns whether it contains a token.
    fn value(&mut self, role: Role, value: &[u8]) -> bool {
        match role {
            Role::Id => {
                // A valid id contains neither commas nor dots.
                if let Ok(session) = SessionId::try_from(value) {
                    self.id.add_id(session);
                    return false;
                }
                pieces(value).for_each(|piece| self.id.add(piece));
            }
            Role::Token(rank) => self.token(rank, value),
            Role::UnreadId | Role::UnreadToken => {}
        }
        role.holds_token(value)
    }

    fn token(&mut self, rank: usize, value: &[u8]) {
        if let Some(session) = last_token(value)
            && self.token.is_none_or(|(other, _)| rank <= other)
        {
            self.token = Some((rank, session));
        }
    }

    fn verdict(&self) -> Verdict {
        match (self.id.verdict(), self.token) {
            (Verdict::Nothing, Some((_, session))) => Verdict::Session(session),
            (verdict, _) => verdict,
        }
    }
}

/// Reads the baggage if the headers name nothing.
#[cfg_attr(not(feature = "baggage"), expect(unused_variables))]
#[inline]
fn or_baggage(verdict: Verdict, headers: &HeaderMap) -> Verdict {
    match verdict {
        #[cfg(feature = "baggage")]
        Verdict::Nothing => crate::baggage::verdict(headers),
        verdict => verdict,
    }
}

fn last_token(value: &[u8]) -> Option<SessionId> {
    // Usually the value is a single token.
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
