use std::sync::Arc;

use http::HeaderMap;
use openreplay_session::SessionId;
use tower_layer::Layer;

use super::{service::SetSession, sources::Sources};
use crate::headers::SessionHeaders;

/// A layer that runs each request in the session that its headers name.
///
/// See the [module documentation](super).
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
    /// If the app calls other services, pass the same value to
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

    /// Sets a query parameter that contains the id. Default: none.
    ///
    /// `EventSource`, `WebSocket` and `sendBeacon` cannot set headers, so they need a query
    /// parameter. The page must send `getSessionID()` in it, never the token, because URLs end up
    /// in logs, browser histories and referrers. A token in the parameter is ignored.
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

    /// Inserts the [`SessionId`] into the request's extensions. Default: off.
    ///
    /// If the request runs in no session, an existing `SessionId` is removed from its extensions.
    ///
    /// Use this for frameworks that run part of a request in another task and pass the request's
    /// extensions or parts to it, such as the context of a lambda or the data of a subscription.
    /// This option costs one allocation per request.
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

    /// Returns the session that headers contain under the names of this layer, if any.
    ///
    /// This is [`SessionHeaders::session_of`] for this layer's names. The query parameter is not
    /// read.
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
