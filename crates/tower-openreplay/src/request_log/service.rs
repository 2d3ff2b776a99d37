use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{body::ResponseBody, future::ResponseFuture, options::Options, request::LoggedRequest};

/// A service that writes one record per request, and adds a span around it.
///
/// Created by [`RequestLogLayer`](super::RequestLogLayer). See the [module documentation](super).
#[derive(Clone, Debug)]
pub struct RequestLog<S> {
    inner: S,
    options: Arc<Options>,
}

impl<S> RequestLog<S> {
    /// Creates a service that logs requests like
    /// [`RequestLogLayer::new`](super::RequestLogLayer::new).
    pub fn new(inner: S) -> Self {
        Self::with_options(inner, Arc::default())
    }

    pub(super) fn with_options(inner: S, options: Arc<Options>) -> Self {
        Self { inner, options }
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Consumes `self` and returns the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequestLog<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: fmt::Display + 'static,
    ResBody: Body,
    ResBody::Error: fmt::Display + 'static,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let logged = LoggedRequest::new(&self.options, &mut request);
        let future = match &logged {
            Some(logged) => logged.span.in_scope(|| self.inner.call(request)),
            None => self.inner.call(request),
        };
        ResponseFuture::new(future, logged)
    }
}
