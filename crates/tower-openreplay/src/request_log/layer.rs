use std::{error::Error, sync::Arc};

use tower_http::classify::GrpcCode;
use tower_layer::Layer;
use tracing::Level;

use super::{RequestLog, cause::Causes, protocol::Protocol};

/// Logs each request when its response is ready, see the [module](super).
#[derive(Clone, Debug, Default)]
pub struct RequestLogLayer {
    options: Arc<Options>,
}

impl RequestLogLayer {
    /// Creates a layer for HTTP: each 5xx is a failure.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a layer for gRPC: each status but `OK` is a failure, and so is each HTTP 5xx.
    ///
    /// ```
    /// use tower_openreplay::{RequestLogLayer, SessionLayer};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let (_, health) = tonic_health::server::health_reporter();
    /// let server = tonic::transport::Server::builder()
    ///     .layer(SessionLayer::new()) // outermost: tonic's first layer sees the request first
    ///     .layer(RequestLogLayer::new_for_grpc())
    ///     .add_service(health);
    /// # let _ = server;
    /// # }
    /// ```
    #[must_use]
    pub fn new_for_grpc() -> Self {
        Self::default().with(|options| options.protocol = Protocol::grpc())
    }

    /// Sets further gRPC codes that are no failures, `NotFound` for instance. Default: `Ok` alone.
    ///
    /// Over HTTP it has no effect.
    #[must_use]
    pub fn with_success_codes(self, codes: impl IntoIterator<Item = GrpcCode>) -> Self {
        self.with(|options| options.protocol.add_success_codes(codes))
    }

    /// Sets the level of the record of a success. Default: `INFO`.
    ///
    /// A success with a [`Failure`](crate::Failure) attached is logged at `INFO` in any case.
    #[must_use]
    pub fn with_success_level(self, level: Level) -> Self {
        self.with(|options| options.success = Some(level))
    }

    /// Logs failures alone. A success with a [`Failure`](crate::Failure) attached is still logged.
    #[must_use]
    pub fn without_successes(self) -> Self {
        self.with(|options| options.success = None)
    }

    /// Excludes requests with one of these paths, health checks for instance: they get neither a
    /// record nor a span. Default: none.
    ///
    /// A path must be equal, the query string aside; inside of axum's `Router::nest` it is the
    /// whole path. An attached [`Failure`](crate::Failure) is still logged, by
    /// [`SessionLayer`](crate::SessionLayer).
    ///
    /// ```
    /// use tower_openreplay::RequestLogLayer;
    ///
    /// let layer = RequestLogLayer::new().without_paths(["/health", "/metrics"]);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn without_paths<P: Into<String>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        self.with(|options| {
            options.excluded.extend(paths.into_iter().map(Into::into));
        })
    }

    /// Logs the causes of errors of this type too, where the service or the body fails with one.
    ///
    /// Needed only for errors that are returned themselves: the causes of boxed errors, of
    /// `std::io::Error`, with the feature `axum` of `axum::Error`, and of each
    /// [`Failure`](crate::Failure) are always logged.
    ///
    /// ```
    /// use tower_openreplay::RequestLogLayer;
    ///
    /// let layer = RequestLogLayer::new().with_causes_of::<hyper::Error>();
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_causes_of<E: Error + 'static>(self) -> Self {
        self.with(|options| options.causes.add::<E>())
    }

    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(Arc::make_mut(&mut self.options));
        self
    }
}

impl<S> Layer<S> for RequestLogLayer {
    type Service = RequestLog<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestLog::with_options(inner, Arc::clone(&self.options))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) protocol: Protocol,
    /// The level of a success; `None` logs none.
    pub(super) success: Option<Level>,
    pub(super) excluded: Vec<String>,
    pub(super) causes: Causes,
}

impl Options {
    pub(super) fn excludes(&self, path: &str) -> bool {
        self.excluded.iter().any(|excluded| excluded == path)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocol: Protocol::Http,
            success: Some(Level::INFO),
            excluded: Vec::new(),
            causes: Causes::default(),
        }
    }
}
