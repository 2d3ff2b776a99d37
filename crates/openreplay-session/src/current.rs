use std::cell::Cell;

use crate::SessionId;

thread_local! {
    // a plain value with nothing to drop: read and written without a check, at every moment of a
    // thread
    static CURRENT: Cell<Scope> = const { Cell::new(Scope::Unset) };
}

/// Which session the running code belongs to, as far as it is known.
///
/// [`current`] returns the session alone, which is what most code needs. A logging layer must also
/// tell code that left its session from code that never entered one: only the latter may get a
/// session from an enclosing span.
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
    /// Outside of any session, by [`without_session`](crate::without_session) or
    /// [`sync_without_session`].
    NoSession,
    /// In no scope. To enter it changes nothing: the caller's scope stays.
    Unset,
}

impl Scope {
    /// Returns the scope of the running code.
    #[must_use]
    #[inline]
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Returns the scope for work that is handed to another task or thread.
    ///
    /// This is what [`InCurrentSession`](crate::InCurrentSession) takes along: the current session
    /// or, if there is none, [`NoSession`](Self::NoSession). Work without a session must not get
    /// the session of whatever runs it. A thread of a pool, for instance, runs other jobs while it
    /// waits for a part of its own.
    #[must_use]
    pub fn captured() -> Self {
        current().map_or(Self::NoSession, Self::Session)
    }

    /// Runs a closure in exactly this scope, which [`current`](Self::current) returned earlier: for
    /// a record about code that has ended.
    ///
    /// Unlike [`sync_scope`], it enters [`Unset`](Self::Unset) too, which hides the caller's
    /// session.
    ///
    /// ```
    /// use openreplay_session::{Scope, SessionId, current, sync_scope};
    ///
    /// let captured = Scope::current();
    /// sync_scope(SessionId::from(42), || captured.restore(|| assert_eq!(current(), None)));
    /// ```
    #[inline]
    pub fn restore<R>(self, f: impl FnOnce() -> R) -> R {
        let _entered = Entered::exactly(&self);
        f()
    }

    /// Enters this scope until the guard is dropped, as [`sync_scope`] does.
    ///
    /// For `tower-openreplay`: a closure moves what it takes and returns, a whole request and
    /// response. A guard that lives across an `await` would put other tasks in this scope, so all
    /// other code uses [`sync_scope`] and [`scope`](crate::scope).
    #[doc(hidden)]
    #[inline]
    pub fn enter(&self) -> Entered {
        match self {
            Self::Unset => Entered(Before::Unchanged),
            scope => Entered::exactly(scope),
        }
    }

    /// Returns the session of this scope, if it has one.
    #[must_use]
    #[inline]
    pub fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::NoSession | Self::Unset => None,
        }
    }
}

impl From<SessionId> for Scope {
    #[inline]
    fn from(id: SessionId) -> Self {
        Self::Session(id)
    }
}

/// `None` is [`Scope::Unset`]: it leaves the caller's session.
impl From<Option<SessionId>> for Scope {
    #[inline]
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
#[inline]
pub fn current() -> Option<SessionId> {
    Scope::current().session()
}

/// Runs a closure in a session. `None` runs it in the session of the caller, if there is one.
///
/// ```
/// use openreplay_session::{SessionId, current, sync_scope};
///
/// let id = sync_scope(SessionId::from(42), current);
/// assert_eq!(id, Some(SessionId::from(42)));
/// ```
#[inline]
pub fn sync_scope<R>(scope: impl Into<Scope>, f: impl FnOnce() -> R) -> R {
    let _entered = scope.into().enter();
    f()
}

/// Restores the scope before when it is dropped, by a panic too.
#[doc(hidden)]
#[derive(Debug)]
#[must_use = "the scope is left when this is dropped"]
pub struct Entered(Before);

/// As variants of its own, not as a `Scope`, since mostly there was no session before: then nothing
/// but the discriminant is moved.
#[derive(Debug)]
enum Before {
    InSession(SessionId),
    InNone,
    Unset,
    /// The scope of the caller stays.
    Unchanged,
}

impl Entered {
    /// Enters `Scope::Unset` too.
    #[inline]
    fn exactly(scope: &Scope) -> Self {
        CURRENT.with(|current| {
            let before = match current.get() {
                Scope::Session(id) => Before::InSession(id),
                Scope::NoSession => Before::InNone,
                Scope::Unset => Before::Unset,
            };
            current.set(*scope);
            Self(before)
        })
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        match self.0 {
            Before::InSession(id) => CURRENT.set(Scope::Session(id)),
            Before::InNone => CURRENT.set(Scope::NoSession),
            Before::Unset => CURRENT.set(Scope::Unset),
            Before::Unchanged => {}
        }
    }
}

/// Runs a closure outside of any session: for what a request sets up and other requests use
/// afterwards.
///
/// Inside, no enclosing span gives a session either, and spans that are created there remember that
/// they have none. See [`without_session`](crate::without_session) for futures.
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
