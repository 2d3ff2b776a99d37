//! Middleware that writes one record per request, and adds a span around it.
//!
//! [`RequestLogLayer`] logs the method, path and status of each request when its response is ready.
//! If the request fails, the record also contains the error with its causes.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
//!
//! async fn price() -> Result<&'static str, Failure> {
//!     Err("no price for order 17")?
//! }
//!
//! let app: Router = Router::new()
//!     .route("/api/price", get(price))
//!     .layer(RequestLogLayer::new()) // inside: its records have the session
//!     .layer(SessionLayer::new());
//! # let _ = app;
//! ```
//!
//! With `tracing_openreplay::json()`, a request of session 42 results in this message:
//!
//! ```text
//! [openReplaySession.id=42] GET /api/price 500 error=no price for order 17 duration_ms=0.041 route=/api/price
//! ```
//!
//! # Records
//!
//! | event | level | message |
//! |---|---|---|
//! | a response | `INFO`, see [`with_success_level`](RequestLogLayer::with_success_level) | `GET /api/price 200` |
//! | a response that is a failure | `ERROR` | `GET /api/price 500` |
//! | the service returned an error | `ERROR` | `GET /api/price failed` |
//! | the body failed, or its trailers report a gRPC failure | `ERROR` | `GET /api/price body failed` |
//! | the request was dropped before its response | `WARN` | `GET /api/price cancelled` |
//!
//! A request is dropped if the client disconnects, an outer timeout layer elapses, or the server
//! shuts down. If a request panics, the layer writes no record: `tracing_openreplay::log_panics`
//! writes one for the panic, which has the method and path from the span. An error of
//! `Service::poll_ready` is not logged, since there is no request yet. If a request passes through
//! two of these layers, only the outer one logs it.
//!
//! | field | value | when |
//! |---|---|---|
//! | `error` | the error, with its causes | the failure has one, or a [`Failure`](crate::Failure) is attached |
//! | `duration_ms` | milliseconds since the request arrived, with fractions below 10 | always |
//! | `request_id` | the request's header `x-request-id` | the request has this header |
//! | `route` | axum's `MatchedPath` | with the feature `axum`, if a route matched |
//!
//! The query string is never logged, since it may contain secrets. The path of a
//! `CONNECT` request is its host and port; a user in its authority is never logged, either.
//!
//! # The span
//!
//! The request and its response body run in the span `request` at the level `INFO`, with the fields
//! `method`, `path` and `request_id`. Work that is spawned with `.in_current_span()` also runs in
//! this span.
//!
//! The records and the span have the target `tower_openreplay`. A filter that lists targets without
//! a default level, such as `RUST_LOG=shop=debug`, must include this target:
//! `RUST_LOG=shop=debug,tower_openreplay=info`. `tracing_openreplay::init()` includes it
//! automatically.
//!
//! # Request ids
//!
//! `request_id` is the header `x-request-id`, which any client can send. To assign an id to
//! requests without one, put tower-http's `SetRequestIdLayer` outside this layer. To copy the id to
//! the response, put `PropagateRequestIdLayer` between the two.
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
//! # use tower_openreplay::{RequestLogLayer, SessionLayer};
//! let app: Router = Router::new()
//!     .route("/api/price", get(|| async { "17.50" }))
//!     .layer(RequestLogLayer::new())
//!     .layer(PropagateRequestIdLayer::x_request_id())
//!     .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
//!     .layer(SessionLayer::new());
//! # let _ = app;
//! ```
//!
//! # Failures
//!
//! [`tower_http::classify`] decides whether a response is a failure. Over HTTP, every 5xx response
//! is a failure. Over gRPC ([`new_for_grpc`](RequestLogLayer::new_for_grpc)), every status except
//! `OK` is a failure, in the headers or in the trailers. A missing or non-numeric
//! status is not a failure. The field `error` contains one of
//!
//! - the error of a [`Failure`](crate::Failure) in the response's extensions,
//! - the code and message of a gRPC status,
//! - the error that the service or the body returned, which passes through unchanged. Its causes
//!   are logged for boxed errors, `std::io::Error`, `axum::Error`, and the types set with
//!   [`with_causes_of`](RequestLogLayer::with_causes_of), which also shows what to do for
//!   `anyhow::Error`.
//!
//! # Layer order
//!
//! Put this layer inside [`SessionLayer`](crate::SessionLayer); otherwise the records have no
//! session, and the error of a [`Failure`](crate::Failure) has a separate record, in its session.
//! Put it inside tower-http's `CatchPanicLayer`; otherwise each panic causes a second record, for
//! the panic's response. With this layer, tower-http's `TraceLayer` is not needed.

mod body;
mod cause;
mod future;
mod layer;
mod options;
mod protocol;
mod request;
mod route;
mod service;

pub use tower_http::classify::GrpcCode;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::RequestLogLayer, service::RequestLog,
};
