use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use openreplay_session::{Scope, sync_scope};
use pin_project_lite::pin_project;

use crate::body::SessionBody;

pin_project! {
    /// The response future of [`SetSession`](super::SetSession), which is polled and dropped in the
    /// session.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        scope: Scope,
        // `None` once the future has completed
        #[pin]
        inner: Option<F>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                sync_scope(*this.scope, || this.inner.set(None));
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn new(scope: Scope, inner: F) -> Self {
        Self {
            scope,
            inner: Some(inner),
        }
    }
}

// Wrapping an `InSession` would move the response once more.
impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<SessionBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let entered = this.scope.enter();
        let inner = this.inner.as_mut().as_pin_mut();
        let result = ready!(inner.expect("polled after completion").poll(cx));
        // Dropping the future here saves entering its scope a second time.
        this.inner.set(None);
        let response = result?;
        #[cfg(feature = "request-log")]
        crate::failure::log_attached(&response);
        drop(entered);
        let (head, body) = response.into_parts();
        let body = SessionBody::new(*this.scope, body);
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}
