use std::{cell::Cell, marker::PhantomData};

use crate::SessionId;

thread_local! {
    // A plain value without a destructor can be read and written without a check, even while the
    // thread ends.
    static CURRENT: Cell<Scope> = const { Cell::new(Scope::Unset) };
}

/// The session that the running code belongs to, or why it has none.
///
/// Most code only needs [`current`], which returns the session. A logging layer must also
/// distinguish code that left its session from code that never entered one: only the latter may
/// take the session of an enclosing span.
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
#[expect(
    clippy::exhaustive_enums,
    reason = "code runs in a session, has left one, or never entered one"
)]
pub enum Scope {
    /// The code runs in this session.
    Session(SessionId),
    /// The code runs in no session: it left its session with
    /// [`without_session`](crate::without_session) or [`sync_without_session`], or nothing tells
    /// which session it belongs to.
    NoSession,
    /// No scope was entered. Entering `Unset` changes nothing: the caller's scope remains.
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
    /// This is the current session or, if there is none, [`NoSession`](Self::NoSession), and what
    /// [`InCurrentSession`](crate::InCurrentSession) uses. Work without a session must not get the
    /// session of the thread that runs it: a thread of a pool may run that work while it waits
    /// within a job of some session.
    #[must_use]
    pub fn captured() -> Self {
        current().map_or(Self::NoSession, Self::Session)
    }

    /// Runs a closure in exactly this scope, which [`current`](Self::current) returned earlier.
    ///
    /// Use this to log a record about code that has already ended. Unlike [`sync_scope`], `restore`
    /// also enters [`Unset`](Self::Unset), which hides the caller's session.
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

    /// Enters this scope until the returned guard is dropped. `Unset` changes nothing.
    ///
    /// This is hidden because it is only for `tower-openreplay`, where a closure would have to move
    /// a whole request and response. A guard that is held across an `await` would put other tasks
    /// in this scope, so all other code uses [`sync_scope`] and [`scope`](crate::scope).
    #[doc(hidden)]
    #[inline]
    pub fn enter(&self) -> Entered {
        match self {
            Self::Unset => Entered(Before::Unchanged, PhantomData),
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

/// Converts `None` into [`Scope::Unset`], which keeps the caller's session. If the work may run in
/// a task of another session, use [`Scope::captured`] instead of `current()`.
impl From<Option<SessionId>> for Scope {
    #[inline]
    fn from(session: Option<SessionId>) -> Self {
        session.map_or(Self::Unset, Self::Session)
    }
}

/// Returns the session that the calling code runs in, if any.
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

/// Runs a closure in a session.
///
/// `None` runs the closure in the caller's session, if there is one.
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

/// A guard that restores the previous scope when it is dropped, also during a panic.
#[doc(hidden)]
#[derive(Debug)]
#[must_use = "the scope ends when the guard is dropped"]
pub struct Entered(Before, OfThisThread);

/// Prevents the guard from being sent to another thread, so that it cannot be held across an
/// `await` of a future that is `Send`.
type OfThisThread = PhantomData<*const ()>;

/// The scope to restore.
///
/// Separate variants, instead of an `Option<Scope>`, keep the common case cheap: if there was no
/// session before, only the discriminant is moved.
#[derive(Debug)]
enum Before {
    InSession(SessionId),
    InNone,
    Unset,
    /// No scope was entered, so there is nothing to restore.
    Unchanged,
}

impl Entered {
    /// Enters the scope, even if it is `Scope::Unset`.
    #[inline]
    fn exactly(scope: &Scope) -> Self {
        CURRENT.with(|current| {
            let before = match current.get() {
                Scope::Session(id) => Before::InSession(id),
                Scope::NoSession => Before::InNone,
                Scope::Unset => Before::Unset,
            };
            current.set(*scope);
            Self(before, PhantomData)
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

/// Runs a closure outside any session.
///
/// Use this where one request sets up something that later requests share, such as a connection
/// pool. Inside the closure, records do not take the session of an enclosing span either, and spans
/// that are created there belong to no session. For futures, see
/// [`without_session`](crate::without_session).
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
