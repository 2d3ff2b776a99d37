use crate::{Scope, sync_scope};

/// Binds a closure to the current session, for `spawn_blocking`, rayon and threads.
///
/// The closure runs, or is dropped, in the session that was current when this function was called.
/// If there was no current session, the closure runs outside any session, even on a thread that is
/// in one.
///
/// ```
/// use openreplay_session::{SessionId, current, in_current_session, sync_scope};
///
/// let thread = sync_scope(SessionId::from(42), || std::thread::spawn(in_current_session(current)));
/// assert_eq!(thread.join().unwrap(), Some(SessionId::from(42)));
/// ```
pub fn in_current_session<F, R>(f: F) -> impl FnOnce() -> R + use<F, R>
where
    F: FnOnce() -> R,
{
    let closure = Closure {
        scope: Scope::captured(),
        f: Some(f),
    };
    move || closure.call()
}

struct Closure<F> {
    scope: Scope,
    // `None` once it has been called
    f: Option<F>,
}

impl<F> Closure<F> {
    fn call<R>(mut self) -> R
    where
        F: FnOnce() -> R,
    {
        let f = self.f.take().expect("`call` consumes the closure");
        sync_scope(self.scope, f)
    }
}

impl<F> Drop for Closure<F> {
    fn drop(&mut self) {
        if let Some(f) = self.f.take() {
            sync_scope(self.scope, || drop(f));
        }
    }
}
