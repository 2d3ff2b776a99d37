//! Middleware that runs each request in its session.
//!
//! [`SessionLayer`] reads the session's id from the request, and makes the session current for all
//! code that serves the request: the inner service's `call` and future, the frames and trailers of
//! the response body, and the drop of each. Streams and cancelled requests therefore log in their
//! session as well. [`openreplay_session::current`] returns the id.
//!
//! The request, the response and errors pass through unchanged. The layer neither boxes, clones nor
//! allocates anything.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{Request, Response};
//! use openreplay_session::{SessionId, current};
//! use tower::{Layer as _, ServiceExt as _, service_fn};
//! use tower_openreplay::SessionLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = SessionLayer::new().layer(service_fn(|_: Request<()>| async {
//!     assert_eq!(current(), Some(SessionId::from(42)));
//!     Ok::<_, Infallible>(Response::new(String::new()))
//! }));
//!
//! service.oneshot(Request::get("/").header("openReplaySession.id", "42").body(())?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Sources of the id
//!
//! The layer reads the following sources in order, and uses the first one that contains an id. If a
//! source contains two different ids, the request has no session, not even that of an outer
//! `SessionLayer`, and no further source is read. Otherwise, malformed values are skipped.
//!
//! 1. The header `openReplaySession.id`, or the one set with
//!    [`with_id_header`](crate::SessionHeaders::with_id_header). If it contains the tracker's token
//!    instead of the id, the token is decoded. If there are several tokens, separated by commas or
//!    in several headers, the last valid one is used. Without a token, all values must be the same
//!    id, and an id next to a malformed value is ignored.
//! 2. The headers `X-OpenReplay-SessionToken` and `X-OpenReplay-Session-Token`, in this order, or
//!    those set with [`with_token_headers`](crate::SessionHeaders::with_token_headers). Only tokens
//!    are read, and the last valid one is used.
//! 3. With the feature `baggage`, the member `session.id` of the header [`baggage`](#baggage). Only
//!    numbers are read.
//! 4. The query parameter set with [`with_query_parameter`](SessionLayer::with_query_parameter), if
//!    any. Only ids are read; a token or a list separated by commas is malformed. If the parameter
//!    is repeated, all values must be the same id.
//!
//! Empty values, `undefined`, `null` and `NaN` are ignored. If no source contains an id, the
//! request is handled as an ordinary request: it has no session, or that of an outer
//! `SessionLayer`. Header names are case-insensitive,
//! the name of the query parameter is case-sensitive.
//!
//! Prefer the id's header to the token. A token lets its holder write into the recording, and the
//! recording contains the header in which the tracker sends the token, unless the page's
//! `sanitizer` removes it. The layer only keeps the id. It marks header values that contain a token
//! as [sensitive](http::HeaderValue::set_sensitive), so that `Debug` does not show them. This
//! includes headers with the default names if the layer reads other names. Outer layers see the
//! values before they are marked: if an outer layer prints headers, wrap it with tower-http's
//! `SetSensitiveRequestHeadersLayer` and [`header_names`](crate::header_names). The headers remain
//! in the request; [`propagate`](crate::propagate#what-happens-to-the-headers) removes them from
//! requests to other services.
//!
//! # Baggage
//!
//! A service in another language that only uses OpenTelemetry does not forward these headers, but
//! by default it forwards [W3C Baggage](https://www.w3.org/TR/baggage/). With the feature
//! `baggage`, the layers also read and write the session in the member `session.id`. The value is
//! percent-decoded, and properties after a `;` are ignored. Because other programs store ids of
//! their own under this name, only OpenReplay's form counts, an unsigned 64-bit integer in decimal.
//! Two different ids, in one header or in several, contradict each other, and an id next to any
//! other value is ignored.
//!
//! [`propagate`](crate::propagate#what-happens-to-the-headers) sets the member, and removes it from
//! requests to hosts that are not listed.
//!
//! # Layer order
//!
//! Everything inside the layer logs in the session. In axum, the last added layer is the outermost:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};
//! # use tower_openreplay::{RequestLogLayer, SessionLayer, header_names};
//! # fn respond(_: Box<dyn std::any::Any + Send>) -> http::Response<axum::body::Body> {
//! #     http::Response::new(axum::body::Body::empty())
//! # }
//! let app: Router = Router::new()
//!     .route("/", get(|| async {}))
//!     .layer(RequestLogLayer::new()) // its records have the session
//!     .layer(CatchPanicLayer::custom(respond)) // `new()` logs each panic once more
//!     .layer(SessionLayer::new())
//!     .layer(CorsLayer::new().allow_headers(header_names())); // responds to preflights, which carry no session
//! # let _ = app;
//! ```
//!
//! In a `ServiceBuilder`, the first added layer is the outermost:
//!
//! ```
//! # use std::convert::Infallible;
//! # use axum::body::Body;
//! # use http::{Request, Response};
//! # use tower::ServiceBuilder;
//! # use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};
//! # use tower_openreplay::{RequestLogLayer, SessionLayer, header_names};
//! # fn respond(_: Box<dyn std::any::Any + Send>) -> http::Response<axum::body::Body> {
//! #     http::Response::new(axum::body::Body::empty())
//! # }
//! let service = ServiceBuilder::new()
//!     .layer(CorsLayer::new().allow_headers(header_names()))
//!     .layer(SessionLayer::new())
//!     .layer(CatchPanicLayer::custom(respond))
//!     .layer(RequestLogLayer::new())
//!     .service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
//! # fn is_a_service<S: tower::Service<Request<Body>>>(_: S) {}
//! # is_a_service(service);
//! ```
//!
//! tower-http's `TraceLayer` belongs where `RequestLogLayer` is.
//!
//! # Behind a proxy
//!
//! **Symptom: the browser sends `openReplaySession.id`, but no request has a session.** nginx
//! treats a header name with a dot as invalid and drops the header by default. It only writes an
//! `info` line to its error log. Any of these changes fixes the problem:
//!
//! - `ignore_invalid_headers off;` in nginx's `http` or `server` block.
//! - A header name without a dot, set with
//!   [`with_id_header`](crate::SessionHeaders::with_id_header) here and in the page.
//! - The tracker's option `network: { sessionTokenHeader: true }`, together with a `sanitizer` that
//!   removes the token from the recording: the tracker records this header like any other.
//!
//! HAProxy forwards the header in lower case, which works.
//!
//! # From another origin
//!
//! **Symptom: the browser does not send the request, and its console shows "Request header field
//! openreplaysession.id is not allowed by Access-Control-Allow-Headers in preflight response".**
//! Before the browser sends one of these headers to another origin, it sends a preflight request.
//! Allow [`header_names`](crate::header_names) in tower-http's `CorsLayer`. `*` suffices only for
//! requests without credentials.
//!
//! `EventSource`, `WebSocket` and `sendBeacon` cannot set headers. For these, set a query parameter
//! with [`with_query_parameter`](SessionLayer::with_query_parameter). The page must send
//! `getSessionID()` in it, never the token: many programs log URLs, and tower-http's `TraceLayer`
//! records them in each span.
//!
//! # Work that leaves the request
//!
//! Code that does not run in the request's task is not in the session automatically:
//!
//! - For spawned work, use [`in_current_session`](openreplay_session::InCurrentSession).
//! - For the body of a request to another service, use [`SessionBody`](crate::SessionBody).
//! - If a framework runs part of the request in another task and passes the request's extensions to
//!   it, use [`with_extension`](SessionLayer::with_extension).
//! - For a worker that one request starts and others share, use
//!   [`without_session`](openreplay_session::without_session).
//!
//! An upgraded connection also leaves the request's task: axum runs the callback of
//! `WebSocketUpgrade::on_upgrade` in a separate task.
//!
//! ```
//! use axum::{extract::ws::{WebSocket, WebSocketUpgrade}, response::Response};
//! use openreplay_session::{Scope, scope};
//!
//! async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
//!     let session = Scope::captured();
//!     upgrade.on_upgrade(move |socket| scope(session, talk(socket)))
//! }
//!
//! async fn talk(socket: WebSocket) {
//!     // logs in the session of the upgraded request
//! #   drop(socket);
//! }
//! # let _: axum::Router = axum::Router::new().route("/", axum::routing::any(upgrade));
//! ```

mod future;
mod layer;
mod service;
mod sources;

pub use self::{future::ResponseFuture, layer::SessionLayer, service::SetSession};
