//! What axum knows of a request. Without the feature `axum` that is nothing.

use http::{Request, Uri};

/// The route of a request, if axum matched one.
#[derive(Debug)]
pub(super) struct Route {
    #[cfg(feature = "axum")]
    matched: Option<axum::extract::MatchedPath>,
}

#[cfg(feature = "axum")]
impl Route {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        Self {
            matched: request.extensions().get().cloned(),
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        Some(self.matched.as_ref()?.as_str())
    }
}

/// The URI that the client sent: inside of `Router::nest` axum strips the path of its prefix.
#[cfg(feature = "axum")]
pub(super) fn uri_of<B>(request: &Request<B>) -> &Uri {
    let original: Option<&axum::extract::OriginalUri> = request.extensions().get();
    original.map_or(request.uri(), |original| &original.0)
}

#[cfg(not(feature = "axum"))]
impl Route {
    pub(super) fn of<B>(_: &Request<B>) -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "the feature `axum` needs it")]
    pub(super) fn as_str(&self) -> Option<&str> {
        None
    }
}

#[cfg(not(feature = "axum"))]
pub(super) fn uri_of<B>(request: &Request<B>) -> &Uri {
    request.uri()
}
