use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use super::{future::ResponseFuture, sources::Sources};
use crate::body::SessionBody;

/// A service that runs each request in the session that its headers name.
///
/// Created by [`SessionLayer`](super::SessionLayer). See the [module documentation](super).
#[derive(Clone, Debug)]
pub struct SetSession<S> {
    inner: S,
    sources: Arc<Sources>,
}

impl<S> SetSession<S> {
    /// Creates a service that reads the default headers, like
    /// [`SessionLayer::new`](super::SessionLayer::new).
    pub fn new(inner: S) -> Self {
        Self::with_sources(inner, Arc::default())
    }

    pub(super) fn with_sources(inner: S, sources: Arc<Sources>) -> Self {
        Self { inner, sources }
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SetSession<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<SessionBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let scope = self.sources.read_and_mark(&mut request);
        let entered = scope.enter();
        let future = self.inner.call(request);
        drop(entered);
        ResponseFuture::new(scope, future)
    }
}
