use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{SessionId, current, sync_scope};

/// Runs a future in a session: each poll of it, and its drop. `None` leaves it in the session of the task that polls it.
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
pub fn scope<F>(session: impl Into<Option<SessionId>>, future: F) -> InSession<F> {
    InSession {
        session: session.into(),
        future: Some(future),
    }
}

/// Takes the current session along with a future.
pub trait InCurrentSession: Future + Sized {
    /// Runs this future in the session that is the current one now; if there is none, leaves it as it is.
    ///
    /// ```
    /// use openreplay_session::{InCurrentSession as _, SessionId, current, scope};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// scope(SessionId::from(42), async {
    ///     let task = tokio::spawn(async { current() }.in_current_session());
    ///     assert_eq!(task.await.unwrap(), Some(SessionId::from(42)));
    /// })
    /// .await;
    /// # }
    /// ```
    fn in_current_session(self) -> InSession<Self> {
        scope(current(), self)
    }
}

impl<F: Future> InCurrentSession for F {}

pin_project! {
    /// A future that runs in a session, see [`scope`] and [`InCurrentSession`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InSession<F> {
        session: Option<SessionId>,
        // `None` once it is finished
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InSession<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                sync_scope(*this.session, || this.future.set(None));
            }
        }
    }
}

impl<F> InSession<F> {
    /// The session that the future runs in.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }
}

impl<F: Future> Future for InSession<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        sync_scope(*this.session, || {
            let future = this.future.as_mut().as_pin_mut();
            let output = future.expect("polled after it had finished").poll(cx);
            if output.is_ready() {
                // in the scope that is entered anyway
                this.future.set(None);
            }
            output
        })
    }
}
