use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use openreplay_session::SessionId;
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

    /// Also inserts the [`SessionId`] into the extensions of each request that runs in a session. Default: it does not.
    ///
    /// For frameworks that run a part of a request in a task of their own and hand it the request's extensions or parts: a
    /// lambda's context, a subscription's data. It costs an allocation.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use http::{Request, Response};
    /// use openreplay_session::SessionId;
    /// use tower::{Layer as _, ServiceExt as _, service_fn};
    /// use tower_openreplay::SessionLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = SessionLayer::new().with_extension().layer(service_fn(|request: Request<()>| async move {
    ///     assert_eq!(request.extensions().get(), Some(&SessionId::from(42)));
    ///     Ok::<_, Infallible>(Response::new(String::new()))
    /// }));
    ///
    /// service.oneshot(Request::get("/").header("openReplaySession.id", "42").body(())?).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_extension(mut self) -> Self {
        Arc::make_mut(&mut self.sources).set_extension();
        self
    }

    /// Returns the session that these headers name, if they name one: the names that this layer reads, by
    /// [the rule](super#where-the-id-is-looked-for) that its service follows.
    ///
    /// [`session_of`](crate::session_of) reads the default names.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderName, HeaderValue};
    /// use tower_openreplay::SessionLayer;
    ///
    /// let layer = SessionLayer::new().with_id_header(HeaderName::from_static("x-session"));
    /// let headers = HeaderMap::from_iter([(HeaderName::from_static("x-session"), HeaderValue::from_static("42"))]);
    /// assert_eq!(layer.session_of(&headers).unwrap(), "42");
    /// ```
    #[must_use]
    pub fn session_of(&self, headers: &HeaderMap) -> Option<SessionId> {
        self.sources.in_headers(headers)
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SetSession<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SetSession::with_sources(inner, Arc::clone(&self.sources))
    }
}
