use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{Scope, SessionId, sync_scope};

/// Runs a future in a session.
///
/// The future is polled and dropped in that session. `None` keeps the session of the task that
/// polls the future. With the feature `stream`, `scope` does the same for a `Stream`.
///
/// ```
/// use openreplay_session::{SessionId, current, scope};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let id = scope(SessionId::from(42), async { current() }).await;
/// assert_eq!(id, Some(SessionId::from(42)));
/// # }
/// ```
#[inline]
pub fn scope<F>(scope: impl Into<Scope>, future: F) -> InSession<F> {
    InSession {
        scope: scope.into(),
        inner: Some(future),
    }
}

/// Runs a future outside any session.
///
/// Use this for a worker or a connection that one request starts and others share. Inside the
/// future, records do not take the session of an enclosing span either, and spans that are created
/// there belong to no session. For a job that the worker does for one request, enter that request's
/// session with [`scope`].
///
/// ```
/// use openreplay_session::{SessionId, current, scope, without_session};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// scope(SessionId::from(42), async {
///     assert_eq!(without_session(async { current() }).await, None);
/// })
/// .await;
/// # }
/// ```
pub fn without_session<F>(future: F) -> InSession<F> {
    scope(Scope::NoSession, future)
}

/// Binds a future or, with the feature `stream`, a `Stream` to the current session.
pub trait InCurrentSession: Sized {
    /// Binds this future to the session that is current when the method is called.
    ///
    /// If there is no current session, the future runs outside any session, even in a task that is
    /// in one.
    ///
    /// Call this method on the work itself, inside the parentheses of `tokio::spawn`.
    /// `tokio::spawn(work).in_current_session()` compiles, but binds the join handle: `work` runs
    /// without the session.
    ///
    /// ```
    /// use openreplay_session::{InCurrentSession as _, SessionId, current, scope};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// scope(SessionId::from(42), async {
    ///     let task = tokio::spawn(async { current() }.in_current_session());
    ///     assert_eq!(task.await.unwrap(), Some(SessionId::from(42)));
    ///
    ///     let wrong = tokio::spawn(async { current() }).in_current_session();
    ///     assert_eq!(wrong.await.unwrap(), None);
    /// })
    /// .await;
    /// # }
    /// ```
    #[inline]
    fn in_current_session(self) -> InSession<Self> {
        scope(Scope::captured(), self)
    }
}

impl<F> InCurrentSession for F {}

pin_project! {
    /// A future or stream that runs in a session or outside any.
    ///
    /// Created by [`scope`], [`without_session`] and [`InCurrentSession`].
    #[derive(Debug)]
    #[must_use = "futures and streams do nothing unless polled"]
    pub struct InSession<F> {
        scope: Scope,
        // `None` once the future has finished
        #[pin]
        inner: Option<F>,
    }

    impl<F> PinnedDrop for InSession<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                sync_scope(*this.scope, || this.inner.set(None));
            }
        }
    }
}

impl<F> InSession<F> {
    /// Returns the session that the future runs in, if it is bound to one.
    #[must_use]
    #[inline]
    pub fn session(&self) -> Option<SessionId> {
        self.scope.session()
    }
}

impl<F: Future> Future for InSession<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        sync_scope(*this.scope, || {
            let future = this.inner.as_mut().as_pin_mut();
            let output = future.expect("polled after completion").poll(cx);
            if output.is_ready() {
                // Dropping the future here saves entering its scope a second time.
                this.inner.set(None);
            }
            output
        })
    }
}

#[cfg(feature = "stream")]
impl<S: futures_core::Stream> futures_core::Stream for InSession<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(stream) => sync_scope(*this.scope, || stream.poll_next(cx)),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let empty = (0, Some(0));
        self.inner.as_ref().map_or(empty, S::size_hint)
    }
}
