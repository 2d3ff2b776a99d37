use std::sync::Arc;

use http::HeaderName;
use tower_layer::Layer;

use super::{SetSession, sources::Sources};

/// Makes the session of each request the current one, see the [module](super).
#[derive(Clone, Debug, Default)]
pub struct SessionLayer {
    sources: Arc<Sources>,
}

impl SessionLayer {
    /// Reads the default headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The header that holds the id. Default: `openReplaySession.id`.
    ///
    /// ```
    /// use http::HeaderName;
    /// use tower_openreplay::SessionLayer;
    ///
    /// let layer = SessionLayer::new().with_id_header(HeaderName::from_static("x-session"));
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_id_header(mut self, name: HeaderName) -> Self {
        Arc::make_mut(&mut self.sources).set_id_header(name);
        self
    }

    /// The headers that hold the tracker's token. Default: `X-OpenReplay-SessionToken` and
    /// `X-OpenReplay-Session-Token`. An empty list reads none.
    ///
    /// ```
    /// use http::HeaderName;
    /// use tower_openreplay::SessionLayer;
    ///
    /// let layer = SessionLayer::new().with_token_headers([HeaderName::from_static("x-tracker")]);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_token_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        Arc::make_mut(&mut self.sources).set_token_headers(names.into_iter().collect());
        self
    }

    /// The query parameter that holds the id, for what cannot set headers: `EventSource`, `WebSocket` and `sendBeacon`. Default: none.
    ///
    /// The page sends `getSessionID()` there, never the token: addresses end up in logs, browser histories and referrers.
    /// Only ids are read; a request with a token there has no session from it.
    ///
    /// ```
    /// use tower_openreplay::SessionLayer;
    ///
    /// // new EventSource(`/events?openReplaySession.id=${tracker.getSessionID()}`)
    /// let layer = SessionLayer::new().with_query_parameter("openReplaySession.id");
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_query_parameter(mut self, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.sources).set_query_parameter(name.into());
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SetSession<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SetSession::with_sources(inner, Arc::clone(&self.sources))
    }
}
