//! A body that is polled and dropped in a session.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use openreplay_session::{Scope, sync_scope};
use pin_project_lite::pin_project;

use crate::poll_to_end::poll_to_end;

pin_project! {
    /// A body that is polled and dropped in a session.
    ///
    /// [`SessionLayer`](crate::SessionLayer) wraps each response body in this type. If the body of
    /// an outgoing request logs while it is read, wrap that body yourself: an HTTP client polls it
    /// in the task of the connection, which is in no session. For a stream that is converted into a
    /// body, or that tonic sends, use the feature `stream` of [`openreplay_session`] instead.
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
        // `None` once the body has ended, and in a default body
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
    /// Wraps a body that is polled in this session.
    ///
    /// `None` keeps the session of the task that polls the body.
    #[inline]
    pub fn new(scope: impl Into<Scope>, inner: B) -> Self {
        Self {
            scope: scope.into(),
            inner: Some(inner),
        }
    }

    /// Wraps a body that is polled in the current session.
    ///
    /// If there is no current session, the body is polled outside any session, even in a task that
    /// is in one.
    pub fn in_current_session(inner: B) -> Self {
        Self::new(Scope::captured(), inner)
    }
}

impl<B> SessionBody<B> {
    /// Returns a reference to the inner body, or `None` if it has ended.
    pub fn get_ref(&self) -> Option<&B> {
        self.inner.as_ref()
    }

    /// Returns a mutable reference to the inner body, or `None` if it has ended.
    pub fn get_mut(&mut self) -> Option<&mut B> {
        self.inner.as_mut()
    }

    /// Consumes `self` and returns the inner body, or `None` if it has ended.
    pub fn into_inner(mut self) -> Option<B> {
        self.inner.take()
    }
}

/// Creates an empty body in no session, for outer layers that respond on their own.
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
            // Nothing is polled, so the session need not be entered.
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
