use crate::SessionId;

tokio::task_local! {
    // `None` outside of any session, see `without_session`
    static CURRENT: Option<SessionId>;
}

/// Which session the running code belongs to, as far as it is known.
///
/// [`current`] returns the session alone, which is what most code needs. A logging layer must also tell code
/// that left its session from code that never entered one: only the latter may get a session from an
/// enclosing span.
///
/// ```
/// use openreplay_session::{Scope, SessionId, sync_scope, sync_without_session};
///
/// assert_eq!(Scope::current(), Scope::Unset);
/// sync_scope(SessionId::from(42), || {
///     assert_eq!(Scope::current(), Scope::Session(SessionId::from(42)));
///     sync_without_session(|| assert_eq!(Scope::current(), Scope::NoSession));
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In this session.
    Session(SessionId),
    /// Outside of any session, by [`without_session`](crate::without_session) or [`sync_without_session`].
    NoSession,
    /// In no scope. To enter it changes nothing: the caller's scope stays.
    Unset,
}

impl Scope {
    /// Returns the scope of the running code.
    #[must_use]
    pub fn current() -> Self {
        match CURRENT.try_with(|session| *session) {
            Ok(Some(id)) => Self::Session(id),
            Ok(None) => Self::NoSession,
            Err(_) => Self::Unset,
        }
    }

    /// Returns the scope for work that is handed to another task or thread.
    ///
    /// This is what [`InCurrentSession`](crate::InCurrentSession) takes along: the current session or, if there is none,
    /// [`NoSession`](Self::NoSession). Work without a session must not get the session of whatever runs it. A
    /// thread of a pool, for instance, runs other jobs while it waits for a part of its own.
    #[must_use]
    pub fn captured() -> Self {
        current().map_or(Self::NoSession, Self::Session)
    }

    /// Returns the session of this scope, if it has one.
    #[must_use]
    pub fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::NoSession | Self::Unset => None,
        }
    }
}

impl From<SessionId> for Scope {
    fn from(id: SessionId) -> Self {
        Self::Session(id)
    }
}

/// `None` is [`Scope::Unset`]: it leaves the caller's session.
impl From<Option<SessionId>> for Scope {
    fn from(session: Option<SessionId>) -> Self {
        session.map_or(Self::Unset, Self::Session)
    }
}

/// Returns the session of the code that calls this, if it runs in one.
///
/// ```
/// use openreplay_session::{SessionId, current, sync_scope};
///
/// assert_eq!(current(), None);
/// sync_scope(SessionId::from(42), || assert_eq!(current(), Some(SessionId::from(42))));
/// ```
#[must_use]
pub fn current() -> Option<SessionId> {
    CURRENT.try_with(|session| *session).ok().flatten()
}

/// Runs a closure in a session. `None` runs it in the session of the caller, if there is one.
///
/// ```
/// use openreplay_session::{SessionId, current, sync_scope};
///
/// let id = sync_scope(SessionId::from(42), current);
/// assert_eq!(id, Some(SessionId::from(42)));
/// ```
pub fn sync_scope<R>(scope: impl Into<Scope>, f: impl FnOnce() -> R) -> R {
    let session = match scope.into() {
        Scope::Session(id) => Some(id),
        Scope::NoSession => None,
        Scope::Unset => return f(),
    };
    CURRENT.sync_scope(session, f)
}

/// Runs a closure outside of any session: for what a request sets up and other requests use afterwards.
///
/// Inside, no enclosing span gives a session either, and spans that are created there remember that they
/// have none. See [`without_session`](crate::without_session) for futures.
///
/// ```
/// use openreplay_session::{SessionId, current, sync_scope, sync_without_session};
///
/// let id = sync_scope(SessionId::from(42), || sync_without_session(current));
/// assert_eq!(id, None);
/// ```
pub fn sync_without_session<R>(f: impl FnOnce() -> R) -> R {
    sync_scope(Scope::NoSession, f)
}
