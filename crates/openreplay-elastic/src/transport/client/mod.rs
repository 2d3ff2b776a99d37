//! One HTTP client for everything that this crate asks of Elasticsearch.
//!
//! ```no_run
//! use bytes::Bytes;
//! use http::Method;
//! use openreplay_elastic::{Client, Connection};
//!
//! # async fn example() -> Result<(), openreplay_elastic::Error> {
//! let client = Client::new(&Connection::builder("http://localhost:9200").build()?)?;
//! let answer = client.request(Method::GET, "/logs/_count", Bytes::new()).await?.ok()?;
//! # Ok(())
//! # }
//! ```

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub use self::answer::Answer;
pub(crate) use self::body::Body;
use crate::transport::connection::{Auth, Connection, Node};
use crate::transport::error::{Error, Kind};

mod answer;
mod body;
#[cfg(test)]
mod tests;
mod tls;

const MIB: usize = 1024 * 1024;

/// Asks Elasticsearch, over HTTP/1.1 with connections that are kept. Cheap to clone; needs a Tokio runtime.
///
/// A node that cannot be reached is skipped in favour of the next. A request that may have arrived is never sent again
/// from here: whether that is safe, only the caller knows.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: legacy::Client<HttpsConnector<HttpConnector>, Body>,
    nodes: Vec<Node>,
    /// The node that answered last.
    current: AtomicUsize,
    auth: Auth,
    timeout: Duration,
}

/// How a body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// One JSON text.
    Json,
    /// JSON texts, one a line, as `_bulk` takes them.
    Lines,
    /// The same, compressed.
    GzippedLines,
}

impl Client {
    /// Gets ready; connects with the first request.
    ///
    /// # Errors
    ///
    /// Where an address is https and neither the system nor the [`Connection`] brings a certificate to trust.
    pub fn new(connection: &Connection) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connection.connect_timeout));
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        let connector = HttpsConnector::from((tcp, tls::config(connection)?));
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
                auth: connection.auth.clone(),
                timeout: connection.request_timeout,
            }),
        })
    }

    /// Who is asking.
    pub fn auth(&self) -> &Auth {
        &self.shared.auth
    }

    /// Sends `body` as JSON; an empty one is sent as none. `path` starts with a slash and may have a query.
    ///
    /// # Errors
    ///
    /// Where no node can be reached, the connection breaks, or time runs out. An answer that says "error" is an
    /// [`Answer`] still: see [`Answer::ok`].
    pub async fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, Error> {
        self.send(method, path, body, Encoding::Json).await
    }

    /// As [`request`](Self::request), with `body` marked as `encoding` says.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Body>,
        encoding: Encoding,
    ) -> Result<Answer, Error> {
        let body = body.into();
        let nodes = &self.shared.nodes;
        let mut failed = 0;
        loop {
            let current = self.shared.current.load(Ordering::Relaxed) % nodes.len();
            let node = &nodes[current];
            let request = self.build(&method, node.uri(path)?, &body, encoding)?;
            let exchange = self.exchange(request, encoding.answer_limit());
            let outcome = tokio::time::timeout(self.shared.timeout, exchange)
                .await
                .unwrap_or_else(|_| Err(timed_out(node, self.shared.timeout)));
            let next = match &outcome {
                Ok(answer) => is_node_trouble(answer.status()),
                Err(_) => true,
            };
            if next {
                self.shared.current.store(current + 1, Ordering::Relaxed);
            }
            failed += 1;
            match outcome {
                Err(error) if error.is_connect() && failed < nodes.len() => {}
                outcome => return outcome.map_err(|error| error.at(node.as_str())),
            }
        }
    }

    fn build(
        &self,
        method: &Method,
        uri: http::Uri,
        body: &Body,
        encoding: Encoding,
    ) -> Result<Request<Body>, Error> {
        let mut request = Request::new(body.clone());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("openreplay-elastic/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(secret) = self.shared.auth.header() {
            headers.insert(AUTHORIZATION, secret.clone());
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

    async fn exchange(&self, request: Request<Body>, limit: usize) -> Result<Answer, Error> {
        let response = self
            .shared
            .http
            .request(request)
            .await
            .map_err(not_answered)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, limit)
            .collect()
            .await
            .map_err(|error| not_whole(error, limit))?;
        Ok(Answer::new(head.status, head.headers, body.to_bytes()))
    }
}

impl Encoding {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Lines | Self::GzippedLines => "application/x-ndjson",
        }
    }

    /// In bytes. A search may give a thousand records whole, of up to 256 KiB as an app sends them.
    fn answer_limit(self) -> usize {
        match self {
            Self::Json => 256 * MIB,
            Self::Lines | Self::GzippedLines => 64 * MIB,
        }
    }
}

/// What a proxy says when the node behind it is away.
fn is_node_trouble(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn timed_out(node: &Node, limit: Duration) -> Error {
    Error::new(
        Kind::Timeout,
        format!("no answer from {} within {limit:?}", node.as_str()),
    )
}

fn not_answered(error: legacy::Error) -> Error {
    // TLS may fail later, too, when the request is on its way already
    let kind = match (error.is_connect(), tls::is_cause_of(&error)) {
        (true, true) => Kind::Tls,
        (true, false) => Kind::Connect,
        (false, _) => Kind::Broken,
    };
    Error::new(kind, "").with_source(error)
}

fn not_whole(error: Box<dyn StdError + Send + Sync>, limit: usize) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::new(
            Kind::TooLong,
            format!(
                "the answer is longer than {} MiB, and no more is read of one: are the records behind `logs` so large?",
                limit / MIB
            ),
        );
    }
    Error::new(Kind::Broken, "").with_source(error)
}
