use crate::{Scope, sync_scope};

/// Takes the current session along with a closure: for `spawn_blocking`, rayon and threads.
///
/// The closure runs in the session that is current now. If it never runs, it is dropped in that
/// session. If there is no current session, the closure runs outside of any, whatever runs on the
/// thread that calls it.
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
    // `None` once it was called
    f: Option<F>,
}

impl<F> Closure<F> {
    fn call<R>(mut self) -> R
    where
        F: FnOnce() -> R,
    {
        let f = self.f.take().expect("`call` consumes it");
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
