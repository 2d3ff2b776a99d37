use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use openreplay_session::InSession;
use pin_project_lite::pin_project;

use crate::SessionBody;

pin_project! {
    /// The future of [`SetSession`](super::SetSession): polled and dropped in the session.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: InSession<F>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: InSession<F>) -> Self {
        Self { inner }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<SessionBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let session = this.inner.session();
        let response = ready!(this.inner.poll(cx))?;
        Poll::Ready(Ok(response.map(|body| SessionBody::new(session, body))))
    }
}
