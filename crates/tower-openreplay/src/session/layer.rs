use std::sync::Arc;

use http::HeaderMap;
use openreplay_session::SessionId;
use tower_layer::Layer;

use super::{SetSession, sources::Sources};
use crate::SessionHeaders;

/// A layer that makes the session of each request the current one, see the [module](super).
#[derive(Clone, Debug, Default)]
pub struct SessionLayer {
    sources: Arc<Sources>,
}

impl SessionLayer {
    /// Creates a layer that reads the default headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the names of the headers. Default: [`SessionHeaders::new`].
    ///
    /// If requests go on to other services, give the same value to
    /// [`PropagateSessionLayer::with_headers`](crate::PropagateSessionLayer::with_headers).
    ///
    /// ```
    /// use http::HeaderName;
    /// use tower_openreplay::{SessionHeaders, SessionLayer};
    ///
    /// let headers = SessionHeaders::new().with_id_header(HeaderName::from_static("x-session"));
    /// let layer = SessionLayer::new().with_headers(headers);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_headers(mut self, headers: SessionHeaders) -> Self {
        Arc::make_mut(&mut self.sources).set_headers(headers);
        self
    }

    /// Sets the query parameter that holds the id, for `EventSource`, `WebSocket` and `sendBeacon`,
    /// which cannot set headers. Default: none.
    ///
    /// The page sends `getSessionID()` there, never the token: addresses end up in logs, browser
    /// histories and referrers. Only ids are read; a request with a token there has no session from
    /// it.
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

    /// Also inserts the [`SessionId`] into the extensions of each request that runs in a session,
    /// and removes one that is there already from all others. Default: off.
    ///
    /// For frameworks that run a part of a request in a task of their own and hand it the request's
    /// extensions or parts: a lambda's context, a subscription's data. It costs an allocation.
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

    /// Returns the session that these headers name, if they name one:
    /// [`SessionHeaders::session_of`] of this layer's names.
    ///
    /// The query parameter is not part of the headers, so it is not read.
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
