/// The route of a request, if axum matched one. Without the feature `axum` there is never one.
#[derive(Debug)]
pub(super) struct Route {
    #[cfg(feature = "axum")]
    matched: Option<axum::extract::MatchedPath>,
}

#[cfg(feature = "axum")]
impl Route {
    pub(super) fn of<B>(request: &http::Request<B>) -> Self {
        Self {
            matched: request.extensions().get().cloned(),
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        Some(self.matched.as_ref()?.as_str())
    }
}

#[cfg(not(feature = "axum"))]
impl Route {
    pub(super) fn of<B>(_: &http::Request<B>) -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "the feature `axum` needs it")]
    pub(super) fn as_str(&self) -> Option<&str> {
        None
    }
}
