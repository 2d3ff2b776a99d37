use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use openreplay_session::current;
use tower_layer::Layer;
use tower_service::Service;

use super::hosts::{Host, HostError, Hosts};
use crate::names::{OPENREPLAY_SESSION_ID, TOKEN_HEADERS, is_token};

/// Sets the header of the current session on outgoing requests, see the [module](super).
#[derive(Clone, Debug)]
pub struct PropagateSessionLayer {
    hosts: Hosts,
    header: HeaderName,
    token_headers: Arc<[HeaderName]>,
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
            header: OPENREPLAY_SESSION_ID,
            token_headers: Arc::default(),
        }
    }

    /// The header to set. Default: `openReplaySession.id`.
    ///
    /// The next service has to be told, too: [`SessionLayer::with_id_header`](crate::SessionLayer::with_id_header).
    #[must_use]
    pub fn with_header(mut self, name: HeaderName) -> Self {
        self.header = name;
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
        self.token_headers = names.into_iter().collect();
        self
    }
}

impl<S> Layer<S> for PropagateSessionLayer {
    type Service = PropagateSession<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PropagateSession {
            inner,
            layer: self.clone(),
        }
    }
}

/// Sets the header of the current session on outgoing requests, see the [module](super).
#[derive(Clone, Debug)]
pub struct PropagateSession<S> {
    inner: S,
    layer: PropagateSessionLayer,
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
        let layer = &self.layer;
        let headers = request.headers_mut();
        remove_tokens(headers, &layer.header);
        for name in layer.token_headers.iter() {
            headers.remove(name);
        }
        if layer.hosts.contain(request.uri()) {
            set(request.headers_mut(), &layer.header);
        }
        self.inner.call(request)
    }
}

/// Sets the header `openReplaySession.id` to the current session, if there is one, unless an id is set already.
///
/// Removes the tracker's token in any case, as [the layer does](super#which-requests-get-the-header).
///
/// For clients that are not Tower services. Whether the host may have the id is for the caller to know.
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
    remove_tokens(headers, &OPENREPLAY_SESSION_ID);
    set(headers, &OPENREPLAY_SESSION_ID);
}

fn remove_tokens(headers: &mut HeaderMap, id_header: &HeaderName) {
    // the id may be sent under one of these names, too
    for name in TOKEN_HEADERS.iter().filter(|name| *name != id_header) {
        headers.remove(name);
    }
    remove_tokens_under(headers, id_header);
    if *id_header != OPENREPLAY_SESSION_ID {
        remove_tokens_under(headers, &OPENREPLAY_SESSION_ID);
    }
}

fn remove_tokens_under(headers: &mut HeaderMap, name: &HeaderName) {
    let is_token = |value: &&HeaderValue| is_token(value.as_bytes());
    let values = headers.get_all(name);
    if values.iter().any(|value| is_token(&value)) {
        // mostly empty, and then not allocated
        let ids: Vec<_> = values
            .iter()
            .filter(|value| !is_token(value))
            .cloned()
            .collect();
        headers.remove(name);
        for id in ids {
            headers.append(name, id);
        }
    }
}

fn set(headers: &mut HeaderMap, name: &HeaderName) {
    if let Some(id) = current()
        && !headers.contains_key(name)
    {
        headers.insert(name, HeaderValue::from(id));
    }
}
