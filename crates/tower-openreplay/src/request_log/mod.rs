//! One record per request, and a span around it.
//!
//! [`RequestLogLayer`] logs each request when its response is ready: method, path and status, and
//! for a failure the error with its causes.
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
//! With `tracing_openreplay::json()` a request of session 42 becomes the record
//!
//! ```text
//! [openReplaySession.id=42] GET /api/price 500 error=no price for order 17 duration_ms=0.041 route=/api/price
//! ```
//!
//! # Records
//!
//! | what happened | level | message |
//! |---|---|---|
//! | a response | `INFO`, see [`with_success_level`](RequestLogLayer::with_success_level) | `GET /api/price 200` |
//! | a response that is a failure | `ERROR` | `GET /api/price 500` |
//! | the service returned an error | `ERROR` | `GET /api/price failed` |
//! | the body failed, or its trailers report a gRPC failure | `ERROR` | `GET /api/price body failed` |
//! | the request was dropped before its response | `WARN` | `GET /api/price cancelled` |
//!
//! A request is dropped if the client disconnects, a timeout layer further out elapses, or the
//! server shuts down. A request that panics gets no record: `tracing_openreplay::log_panics` writes
//! the panic's own, and the span gives it method and path. An error of `Service::poll_ready` gets
//! none either: there is no request yet. If two of these layers are around a request, the outer one
//! logs it.
//!
//! | field | value | when |
//! |---|---|---|
//! | `error` | the error, with its causes | a failure has one, or a [`Failure`](crate::Failure) is attached |
//! | `duration_ms` | milliseconds since the request arrived, with fractions below 10 | always |
//! | `request_id` | the request's header `x-request-id` | it has one |
//! | `route` | axum's `MatchedPath` | feature `axum`, and a route matched |
//!
//! The query string is never logged: it can hold secrets.
//!
//! # The span
//!
//! Around the request, its response body included, is the span `request` at `INFO` with the fields
//! `method`, `path` and `request_id`. Work that is spawned with `.in_current_span()` keeps it.
//!
//! Records and span have the target `tower_openreplay`. A filter with targets and no default level,
//! such as `RUST_LOG=shop=debug`, must name it: `RUST_LOG=shop=debug,tower_openreplay=info`.
//! `tracing_openreplay::init()` adds that on its own.
//!
//! # Request ids
//!
//! `request_id` is the header `x-request-id`, from any sender. tower-http's `SetRequestIdLayer`
//! gives an id to a request without one: put it outside this layer, and `PropagateRequestIdLayer`,
//! which copies the id to the response, between the two.
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
//! What counts as a failure comes from [`tower_http::classify`]: over HTTP each 5xx, over gRPC
//! ([`new_for_grpc`](RequestLogLayer::new_for_grpc)) each status but `OK`, in the headers or in the
//! trailers. The error is
//!
//! - that of a [`Failure`](crate::Failure) in the response's extensions,
//! - the message of a gRPC status,
//! - the error that the service returned, which passes through unchanged. Its causes are known for
//!   boxed errors, `std::io::Error`, and the types named with
//!   [`with_causes_of`](RequestLogLayer::with_causes_of).
//!
//! # Layer order
//!
//! Inside [`SessionLayer`](crate::SessionLayer), or the records have no session. Inside
//! tower-http's `CatchPanicLayer`, or each panic leaves a second record, for its response.
//! tower-http's `TraceLayer` is not needed next to it.

mod body;
mod cause;
mod future;
mod layer;
mod protocol;
pub(crate) mod record;
mod request;
mod route;
mod service;

pub(crate) use self::future::is_polling;
pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::RequestLogLayer, service::RequestLog,
};
