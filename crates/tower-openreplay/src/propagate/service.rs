use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Request};
use tower_layer::Layer;
use tower_service::Service;

use super::hosts::{Host, HostError, Hosts};
use crate::headers::{DEFAULT, SessionHeaders};

/// A layer that sends the current session with outgoing requests.
///
/// See the [module documentation](super).
#[derive(Clone, Debug)]
pub struct PropagateSessionLayer {
    hosts: Hosts,
    names: Arc<SessionHeaders>,
}

impl PropagateSessionLayer {
    /// Creates a layer that sends the session to these hosts only. Each may have a port.
    ///
    /// ```
    /// use tower_openreplay::PropagateSessionLayer;
    ///
    /// let layer = PropagateSessionLayer::to_hosts(["stock.internal", "10.0.0.7:8080", "[::1]:8080"])?;
    /// # let _ = layer;
    /// # Ok::<(), tower_openreplay::propagate::HostError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a string is not a host but, for instance, a URL, a path, or a name with
    /// a user or a wildcard.
    pub fn to_hosts<H: AsRef<str>>(hosts: impl IntoIterator<Item = H>) -> Result<Self, HostError> {
        let hosts = hosts.into_iter().map(|host| Host::parse(host.as_ref()));
        Ok(Self::to(Hosts::Named(hosts.collect::<Result<_, _>>()?)))
    }

    /// Creates a layer that sends the session to all hosts, including foreign ones.
    ///
    /// Only use this for a client that exclusively calls your own services.
    #[must_use]
    pub fn to_all_hosts() -> Self {
        Self::to(Hosts::All)
    }

    fn to(hosts: Hosts) -> Self {
        Self {
            hosts,
            names: Arc::default(),
        }
    }

    /// Sets the names of the headers. Default: [`SessionHeaders::new`].
    ///
    /// Pass the same value as to [`SessionLayer::with_headers`](crate::SessionLayer::with_headers).
    /// The other service must read the same id header.
    #[must_use]
    pub fn with_headers(mut self, headers: SessionHeaders) -> Self {
        self.names = Arc::new(headers);
        self
    }
}

impl<S> Layer<S> for PropagateSessionLayer {
    type Service = PropagateSession<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = self.clone();
        PropagateSession { inner, layer }
    }
}

/// A service that sends the current session with outgoing requests.
///
/// Created by [`PropagateSessionLayer`]. See the [module documentation](super).
#[derive(Clone, Debug)]
pub struct PropagateSession<S> {
    inner: S,
    layer: PropagateSessionLayer,
}

impl<S> PropagateSession<S> {
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

impl<S, B> Service<Request<B>> for PropagateSession<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let PropagateSessionLayer { hosts, names } = &self.layer;
        if hosts.contain(request.uri()) {
            names.propagate(request.headers_mut());
        } else {
            names.remove_from(request.headers_mut());
        }
        self.inner.call(request)
    }
}

/// Sets the header `openReplaySession.id` to the current session and removes all other headers that
/// contain a session.
///
/// Use this for clients that are not Tower services. The
/// [rules](super#what-happens-to-the-headers) are those of [`PropagateSessionLayer`], except that
/// the host is not checked: only call this function for hosts that may receive the session. For
/// custom header names, use [`SessionHeaders::propagate`].
///
/// ```
/// use http::HeaderMap;
/// use openreplay_session::{SessionId, sync_scope};
/// use tower_openreplay::propagate_session;
///
/// let mut headers = HeaderMap::new();
/// sync_scope(SessionId::from(42), || propagate_session(&mut headers));
/// assert_eq!(headers["openReplaySession.id"], "42");
/// // reqwest::Client::new().get("http://stock.internal/items").headers(headers)
/// ```
pub fn propagate_session(headers: &mut HeaderMap) {
    DEFAULT.propagate(headers);
}
