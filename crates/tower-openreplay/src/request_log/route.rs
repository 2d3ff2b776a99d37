//! The route and the original URI of a request in axum. Without the feature `axum`, there is no
//! route.

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

/// Returns the URI that the client sent, since axum strips the prefix of the path inside
/// `Router::nest`.
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
