use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_http::classify::GrpcEosErrorsAsFailures;

use super::{protocol, request::LoggedRequest};
use crate::poll_to_end::poll_to_end;

pin_project! {
    /// The response body of [`RequestLog`](super::RequestLog), which is polled and dropped in the
    /// request's span.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // `None` once the body has ended, and in a default body
        #[pin]
        inner: Option<B>,
        // `None` if the request is not logged
        request: Option<LoggedRequest>,
        at_end: Option<GrpcEosErrorsAsFailures>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() && let Some(request) = this.request {
                request.span.in_scope(|| this.inner.set(None));
            }
        }
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(
        inner: B,
        request: Option<LoggedRequest>,
        at_end: Option<GrpcEosErrorsAsFailures>,
    ) -> Self {
        Self {
            inner: Some(inner),
            request,
            at_end,
        }
    }

    pub(super) fn unlogged(inner: B) -> Self {
        Self::new(inner, None, None)
    }
}

/// Creates an empty body, for outer layers that respond on their own.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: None,
            request: None,
            at_end: None,
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(request) = this.request else {
            return poll_to_end(this.inner, cx);
        };
        if this.inner.is_none() {
            // Nothing is polled, so the span need not be entered.
            return Poll::Ready(None);
        }
        let _entered = request.span.enter();
        let frame = ready!(poll_to_end(this.inner, cx));
        match &frame {
            None => {}
            Some(Err(error)) => request.log_body_error(error),
            Some(Ok(frame)) => {
                let failure = frame
                    .trailers_ref()
                    .and_then(|trailers| protocol::failure_in(trailers, this.at_end.take()?));
                if let Some(failure) = failure {
                    request.log_trailers(&failure);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) => inner.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
