use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use openreplay_session::{scope, sync_scope};
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, sources::Sources};

/// Makes the session of each request the current one, see the [module](super).
#[derive(Clone, Debug)]
pub struct Session<S> {
    inner: S,
    sources: Arc<Sources>,
}

impl<S> Session<S> {
    pub(super) fn new(inner: S, sources: Arc<Sources>) -> Self {
        Self { inner, sources }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Session<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let session = self.sources.session(&mut request);
        let future = sync_scope(session, || self.inner.call(request));
        ResponseFuture::new(scope(session, future))
    }
}
