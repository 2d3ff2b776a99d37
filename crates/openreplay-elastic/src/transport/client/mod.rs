//! One HTTP client for all requests of this crate.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub(crate) use self::body::Body;
use self::connector::Connector;
pub(crate) use self::response::Response;
#[cfg(feature = "admin")]
use crate::transport::connection;
use crate::transport::connection::{Auth, AuthFile, Connection, Node, Proxies};
use crate::transport::error::Error;

mod body;
mod connector;
mod failure;
mod response;
#[cfg(test)]
mod tests;
mod tls;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const MIB: usize = 1024 * 1024;

/// An HTTP/1.1 client for Elasticsearch.
///
/// The client keeps its connections, is cheap to clone, and needs a Tokio runtime. If a node is
/// unreachable, the client uses the next one. The client never resends a request that may have
/// arrived, since only the caller knows whether this is safe.
///
/// ```no_run
/// use openreplay_elastic::{Client, Connection};
///
/// # fn example() -> Result<(), openreplay_elastic::Error> {
/// let client = Client::new(&Connection::builder("http://localhost:9200").build()?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: legacy::Client<HttpsConnector<Connector>, Body>,
    nodes: Vec<Node>,
    /// The node that responded last.
    current: AtomicUsize,
    auth: RwLock<Auth>,
    /// The file that the credentials come from, if there is one.
    auth_file: Option<AuthFile>,
    proxies: Proxies,
    timeout: Duration,
}

/// The content type and encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// One JSON text.
    Json,
    /// JSON texts, one per line, as `_bulk` accepts them.
    Lines,
    /// The same, compressed.
    GzippedLines,
}

impl Client {
    /// Creates a client, which connects with its first request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if an address is https and neither the
    /// system nor the [`Connection`] has a certificate to trust.
    pub fn new(connection: &Connection) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connection.connect_timeout));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        let connector = Connector::new(tcp, connection.proxies.clone());
        let connector = HttpsConnector::from((connector, tls::config(connection)?));
        let http = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(50))
            .build(connector);
        Ok(Self {
            shared: Arc::new(Shared {
                http,
                nodes: connection.nodes.clone(),
                current: AtomicUsize::new(0),
                auth: RwLock::new(connection.auth.clone()),
                auth_file: connection.auth_file.clone(),
                proxies: connection.proxies.clone(),
                timeout: connection.request_timeout,
            }),
        })
    }

    pub(crate) fn auth(&self) -> Auth {
        let auth = self.shared.auth.read();
        auth.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the credentials again, if they come from a file
    /// ([`api_key_file`](crate::ConnectionBuilder::api_key_file)). Returns whether they have
    /// changed. A response that rejects the credentials (401) has the same effect.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the file cannot be read or used. The
    /// client then keeps its credentials.
    pub fn reload_credentials(&self) -> Result<bool, Error> {
        let Some(file) = &self.shared.auth_file else {
            return Ok(false);
        };
        let auth = file.read()?;
        let mut known = self
            .shared
            .auth
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let has_changed = *known != auth;
        *known = auth;
        Ok(has_changed)
    }

    /// Returns the first node that gets the credentials in clear text.
    #[cfg(feature = "admin")]
    pub(crate) fn clear_text_node(&self) -> Option<&str> {
        connection::clear_text_node(&self.shared.nodes, &self.auth())
    }

    /// Sends `body` as JSON, unless it is empty. `path` starts with a slash and may have a query.
    /// An error response is returned as a response: see [`Response::ok`].
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response, Error> {
        self.send(method, path, body, Encoding::Json).await
    }

    /// Sends `body` in this encoding; otherwise like [`request`](Self::request).
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Body>,
        encoding: Encoding,
    ) -> Result<Response, Error> {
        let body = body.into();
        let nodes = &self.shared.nodes;
        let mut failed = 0;
        let mut is_reloaded = false;
        loop {
            let current = self.shared.current.load(Ordering::Relaxed) % nodes.len();
            let node = &nodes[current];
            let request = self.build(&method, &node.uri(path)?, &body, encoding)?;
            let exchange = self.exchange(node, request, encoding.response_limit());
            let outcome = tokio::time::timeout(self.shared.timeout, exchange)
                .await
                .unwrap_or_else(|_| Err(failure::timed_out(node, self.shared.timeout)));
            let next = match &outcome {
                Ok(response) => is_node_trouble(response.status()),
                Err(_) => true,
            };
            if next {
                self.shared.current.store(current + 1, Ordering::Relaxed);
            }
            failed += 1;
            match outcome {
                // Nothing was executed, and the file may have been replaced in the meantime.
                Ok(response)
                    if response.status() == StatusCode::UNAUTHORIZED
                        && !std::mem::replace(&mut is_reloaded, true)
                        && self.reload_credentials().unwrap_or(false) => {}
                Err(error) if error.is_connect() && failed < nodes.len() => {}
                outcome => return outcome,
            }
        }
    }

    /// Returns how long a request may take, its response included.
    pub(crate) fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    fn build(
        &self,
        method: &Method,
        uri: &http::Uri,
        body: &Body,
        encoding: Encoding,
    ) -> Result<Request<Body>, Error> {
        let mut request = Request::new(body.clone());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("openreplay-elastic/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(secret) = self.auth().header() {
            headers.insert(AUTHORIZATION, secret.clone());
        }
        // Through a tunnel, the headers reach the node, which must not get the proxy's credentials.
        let is_http = uri.scheme_str() == Some("http");
        if let Some(proxy) = self.shared.proxies.of(uri).filter(|_| is_http) {
            // After the first request of a connection, some proxies forward everything unchanged,
            // credentials included.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
            if let Some(secret) = proxy.auth() {
                headers.insert(PROXY_AUTHORIZATION, secret.clone());
            }
        }
        if !body.is_empty() {
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static(encoding.content_type()),
            );
        }
        if encoding == Encoding::GzippedLines {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(request)
    }

    async fn exchange(
        &self,
        node: &Node,
        request: Request<Body>,
        limit: usize,
    ) -> Result<Response, Error> {
        let proxy = self.shared.proxies.of(request.uri());
        let response = self.shared.http.request(request).await;
        let response =
            response.map_err(|error| failure::no_response(node, proxy.as_ref(), error))?;
        if let (Some(proxy), StatusCode::PROXY_AUTHENTICATION_REQUIRED) =
            (&proxy, response.status())
        {
            return Err(failure::proxy_demands_credentials(proxy));
        }
        let (head, body) = response.into_parts();
        let body = collect(body, limit).await;
        let body = body.map_err(|error| failure::incomplete(node, error, limit))?;
        let response = Response::new(head.status, head.headers, body);
        Ok(response.behind_prefix(node.has_path()))
    }
}

impl Encoding {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Lines | Self::GzippedLines => "application/x-ndjson",
        }
    }

    /// In bytes. A search may return a thousand whole records of up to 256 KiB each.
    fn response_limit(self) -> usize {
        match self {
            Self::Json => 256 * MIB,
            Self::Lines | Self::GzippedLines => 64 * MIB,
        }
    }
}

/// Collects a body into one buffer. Collecting the pieces first would need twice the memory.
async fn collect(body: Incoming, limit: usize) -> Result<Bytes, BoxError> {
    let announced = body.size_hint().exact().unwrap_or(0);
    let announced = usize::try_from(announced).unwrap_or(limit).min(limit);
    let mut body = Limited::new(body, limit);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else {
            continue;
        };
        if first.is_empty() && whole.is_empty() {
            first = piece;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(announced.max(first.len() + piece.len()));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// Whether this is the status of a proxy whose node is unreachable.
fn is_node_trouble(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}
