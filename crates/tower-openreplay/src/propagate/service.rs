use std::{
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use openreplay_session::current;
use tower_layer::Layer;
use tower_service::Service;

use super::hosts::{Host, HostError, Hosts};
use crate::headers::Names;

/// Sets the header of the current session on outgoing requests, see the [module](super).
#[derive(Clone, Debug)]
pub struct PropagateSessionLayer {
    hosts: Hosts,
    names: Arc<Names>,
}

impl PropagateSessionLayer {
    /// To these hosts only, each with a port or without.
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
    /// If one is not a host: an address with a scheme, a path, a user or a wildcard.
    pub fn to_hosts<H: AsRef<str>>(hosts: impl IntoIterator<Item = H>) -> Result<Self, HostError> {
        let hosts = hosts.into_iter().map(|host| Host::parse(host.as_ref()));
        Ok(Self::to(Hosts::Named(hosts.collect::<Result<_, _>>()?)))
    }

    /// To all hosts, foreign ones too: for a client that only ever talks to your own services.
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

    /// The header to set. Default: `openReplaySession.id`.
    ///
    /// The next service has to be told, too: [`SessionLayer::with_id_header`](crate::SessionLayer::with_id_header).
    #[must_use]
    pub fn with_header(mut self, name: HeaderName) -> Self {
        Arc::make_mut(&mut self.names).set_id_header(name);
        self
    }

    /// Further headers that hold the tracker's token, removed from each request as the default ones are. Default: none.
    ///
    /// Those of [`SessionLayer::with_token_headers`](crate::SessionLayer::with_token_headers), if you name any.
    ///
    /// ```
    /// use http::HeaderName;
    /// use tower_openreplay::PropagateSessionLayer;
    ///
    /// let layer = PropagateSessionLayer::to_hosts(["stock.internal"])?
    ///     .with_token_headers([HeaderName::from_static("x-tracker")]);
    /// # let _ = layer;
    /// # Ok::<(), tower_openreplay::propagate::HostError>(())
    /// ```
    #[must_use]
    pub fn with_token_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        Arc::make_mut(&mut self.names).set_token_headers(names.into_iter().collect());
        self
    }
}

impl<S> Layer<S> for PropagateSessionLayer {
    type Service = PropagateSession<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PropagateSession::new(inner, self.clone())
    }
}

/// Sets the header of the current session on outgoing requests, see the [module](super).
#[derive(Clone, Debug)]
pub struct PropagateSession<S> {
    inner: S,
    layer: PropagateSessionLayer,
}

impl<S> PropagateSession<S> {
    /// Sets the header on requests to the hosts of `layer`.
    pub fn new(inner: S, layer: PropagateSessionLayer) -> Self {
        Self { inner, layer }
    }

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
            replace(request.headers_mut(), names);
        } else {
            names.remove_from(request.headers_mut());
        }
        self.inner.call(request)
    }
}

/// Sets the header `openReplaySession.id` to the current session and removes every other header that names one, as
/// [the layer does](super#what-happens-to-the-headers).
///
/// For clients that are not Tower services. The caller decides whether the host may have the session.
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
    static DEFAULT: LazyLock<Names> = LazyLock::new(Names::default);
    replace(headers, &DEFAULT);
}

/// Leaves the one header by which the next service reads the current session.
fn replace(headers: &mut HeaderMap, names: &Names) {
    let session = current().or_else(|| names.lone_id(headers));
    names.remove_from(headers);
    if let Some(id) = session {
        headers.insert(names.id_header(), HeaderValue::from(id));
    }
}
