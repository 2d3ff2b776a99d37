use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use openreplay_session::{SessionId, sync_scope};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of [`SetSession`](super::SetSession): its frames are polled in the session, and it is dropped in it.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        session: Option<SessionId>,
        // `None`: an empty body
        #[pin]
        inner: Option<B>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            sync_scope(*this.session, || this.inner.set(None));
        }
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(session: Option<SessionId>, inner: B) -> Self {
        Self {
            session,
            inner: Some(inner),
        }
    }
}

/// An empty body in no session, for layers that respond on their own.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            session: None,
            inner: None,
        }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(inner) => sync_scope(*this.session, || inner.poll_frame(cx)),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
