use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    thread,
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{body::ResponseBody, request::LoggedRequest};
use crate::polling::Polling;

pin_project! {
    /// The response future of [`RequestLog`](super::RequestLog), which is polled and dropped in the
    /// request's span.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // `None` once the future has completed
        #[pin]
        inner: Option<F>,
        // `None` once the request has been logged, or if it is not logged
        request: Option<LoggedRequest>,
        // remains set if `inner` panics, or if logging its response does
        is_polling: bool,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(request) = this.request.take() {
                let _entered = request.span.enter();
                this.inner.set(None);
                if !*this.is_polling && !thread::panicking() {
                    request.log_cancelled();
                }
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, request: Option<LoggedRequest>) -> Self {
        Self {
            inner: Some(inner),
            request,
            is_polling: false,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    B::Error: fmt::Display + 'static,
    E: fmt::Display + 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut();
        let inner = inner.expect("polled after completion");
        let Some(request) = this.request else {
            let response = ready!(inner.poll(cx))?;
            return Poll::Ready(Ok(response.map(ResponseBody::unlogged)));
        };

        let entered = request.span.enter();
        *this.is_polling = true;
        let polling = Polling::begin();
        let result = inner.poll(cx);
        drop(polling);
        let Poll::Ready(result) = result else {
            *this.is_polling = false;
            return Poll::Pending;
        };

        this.inner.set(None);
        let at_end = match &result {
            Ok(response) => request.log_response(response),
            Err(error) => {
                request.log_error(error);
                None
            }
        };
        drop(entered);
        let request = this.request.take();
        Poll::Ready(
            result.map(|response| response.map(|body| ResponseBody::new(body, request, at_end))),
        )
    }
}
