use std::{error::Error, sync::Arc};

use tower_http::classify::GrpcCode;
use tower_layer::Layer;
use tracing::Level;

use super::{options::Options, protocol::Protocol, service::RequestLog};

/// A layer that writes one record per request, and adds a span around it.
///
/// See the [module documentation](super).
#[derive(Clone, Debug, Default)]
pub struct RequestLogLayer {
    options: Arc<Options>,
}

impl RequestLogLayer {
    /// Creates a layer for HTTP, where every 5xx response is a failure.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a layer for gRPC, where every status except `OK` and every HTTP 5xx response is a
    /// failure.
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

    /// Adds gRPC codes that are not failures, such as `NotFound`. Default: only `Ok`.
    ///
    /// This has no effect on a layer created with [`new`](Self::new).
    ///
    /// ```
    /// use tower_openreplay::{RequestLogLayer, request_log::GrpcCode};
    ///
    /// let layer = RequestLogLayer::new_for_grpc().with_success_codes([GrpcCode::NotFound]);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn with_success_codes(self, codes: impl IntoIterator<Item = GrpcCode>) -> Self {
        self.with(|options| options.protocol.add_success_codes(codes))
    }

    /// Sets the level of records of successful requests. Default: `INFO`.
    ///
    /// A successful response with an attached [`Failure`](crate::Failure) is always logged at
    /// `INFO`.
    #[must_use]
    pub fn with_success_level(self, level: Level) -> Self {
        self.with(|options| options.success = Some(level))
    }

    /// Logs only failures. Default: successful requests are logged as well.
    ///
    /// A successful response with an attached [`Failure`](crate::Failure) is still logged.
    #[must_use]
    pub fn without_successes(self) -> Self {
        self.with(|options| options.success = None)
    }

    /// Excludes requests with one of these paths, such as health checks. Default: none.
    ///
    /// Excluded requests get neither a record nor a span, but an attached
    /// [`Failure`](crate::Failure) is still logged by [`SessionLayer`](crate::SessionLayer). The
    /// whole path must be equal, without the query string. Inside axum's `Router::nest`, the path
    /// includes the prefix.
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

    /// Also logs the causes of errors of type `E`, if the service or the body returns one.
    ///
    /// This is not needed for boxed errors, `std::io::Error`, [`Failure`](crate::Failure) and, with
    /// the feature `axum`, `axum::Error`, whose causes are always logged.
    ///
    /// ```
    /// use tower_openreplay::RequestLogLayer;
    ///
    /// let layer = RequestLogLayer::new().with_causes_of::<hyper::Error>();
    /// # let _ = layer;
    /// ```
    ///
    /// Types that do not implement `Error`, such as `anyhow::Error` and `eyre::Report`, must be
    /// boxed by the service itself or by `map_err`:
    ///
    /// ```
    /// # use http::{Request, Response};
    /// use tower::{BoxError, ServiceBuilder};
    /// use tower_openreplay::RequestLogLayer;
    ///
    /// # async fn order(_: Request<String>) -> anyhow::Result<Response<String>> {
    /// #     Ok(Response::new(String::new()))
    /// # }
    /// let service = ServiceBuilder::new()
    ///     .layer(RequestLogLayer::new())
    ///     .map_err(BoxError::from)
    ///     .service_fn(order); // returns `anyhow::Result<_>`
    /// # fn is_a_service<S: tower::Service<Request<String>>>(_: S) {}
    /// # is_a_service(service);
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
