//! A body in a session: the response bodies of [`SessionLayer`](crate::SessionLayer), and those of
//! requests that you send.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use openreplay_session::{Scope, sync_scope};
use pin_project_lite::pin_project;

use crate::poll_to_end::poll_to_end;

pin_project! {
    /// A body whose frames are polled in a session, and which is dropped in it.
    ///
    /// [`SessionLayer`](crate::SessionLayer) wraps each response body with it. Wrap the body of a
    /// request to another service yourself if its frames log: an HTTP client polls it in the task
    /// of the connection, which is in no session. For the stream that becomes a body, or that tonic
    /// sends, [`openreplay_session`] does the same with its feature `stream`.
    ///
    /// ```
    /// use http_body_util::Full;
    /// use tower_openreplay::SessionBody;
    ///
    /// # let client = |body: SessionBody<Full<bytes::Bytes>>| drop(body);
    /// let upload = Full::from("frames that log as they are read");
    /// client(SessionBody::in_current_session(upload));
    /// ```
    #[derive(Debug)]
    pub struct SessionBody<B> {
        scope: Scope,
        // `None` once it is finished, and in a default body
        #[pin]
        inner: Option<B>,
    }

    impl<B> PinnedDrop for SessionBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                sync_scope(*this.scope, || this.inner.set(None));
            }
        }
    }
}

impl<B> SessionBody<B> {
    /// Puts a body in this session. `None` leaves it in the session of whatever polls it.
    #[inline]
    pub fn new(scope: impl Into<Scope>, inner: B) -> Self {
        Self {
            scope: scope.into(),
            inner: Some(inner),
        }
    }

    /// Puts a body in the session that is current now. If there is none, the body is in none,
    /// whatever polls it.
    pub fn in_current_session(inner: B) -> Self {
        Self::new(Scope::captured(), inner)
    }
}

impl<B> SessionBody<B> {
    /// Returns a reference to the inner body, `None` once it has ended.
    pub fn get_ref(&self) -> Option<&B> {
        self.inner.as_ref()
    }

    /// Returns a mutable reference to the inner body, `None` once it has ended.
    pub fn get_mut(&mut self) -> Option<&mut B> {
        self.inner.as_mut()
    }

    /// Consumes `self` and returns the inner body, `None` once it has ended.
    pub fn into_inner(mut self) -> Option<B> {
        self.inner.take()
    }
}

/// An empty body in no session, for layers that respond on their own.
impl<B> Default for SessionBody<B> {
    fn default() -> Self {
        Self {
            scope: Scope::Unset,
            inner: None,
        }
    }
}

impl<B: Body> Body for SessionBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        if this.inner.is_none() {
            // nothing to enter the session for
            return Poll::Ready(None);
        }
        sync_scope(*this.scope, || poll_to_end(this.inner, cx))
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
