use crate::SessionId;

tokio::task_local! {
    static CURRENT: SessionId;
}

/// The session of the code that calls this, if it runs in one.
///
/// ```
/// use openreplay_session::{SessionId, current, sync_scope};
///
/// assert_eq!(current(), None);
/// sync_scope(SessionId::from(42), || assert_eq!(current(), Some(SessionId::from(42))));
/// ```
#[must_use]
pub fn current() -> Option<SessionId> {
    CURRENT.try_with(|id| *id).ok()
}

/// Runs a closure in a session. `None` runs it in the session of the caller, if there is one.
///
/// ```
/// use openreplay_session::{SessionId, current, sync_scope};
///
/// let id = sync_scope(SessionId::from(42), current);
/// assert_eq!(id, Some(SessionId::from(42)));
/// ```
pub fn sync_scope<R>(session: impl Into<Option<SessionId>>, f: impl FnOnce() -> R) -> R {
    match session.into() {
        Some(id) => CURRENT.sync_scope(id, f),
        None => f(),
    }
}
