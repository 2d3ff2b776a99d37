//! The session of a request.
//!
//! [`SessionLayer`] reads the session's id from the request and makes it the current one of all that serves it:
//! the inner service's `call`, its future, the frames and trailers of the response body, and the drop of
//! each, so that streams and cancelled requests log in their session too. [`openreplay_session::current`] gives it.
//!
//! The id, the response and its errors pass through unchanged. Nothing is boxed, cloned or allocated.
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
//! # Where the id is looked for
//!
//! The first of these places that gives an id counts. Two different ids in one place contradict each other: the request then has no
//! session, and no further place is read. Anything else that is malformed is skipped.
//!
//! 1. The header `openReplaySession.id` ([`with_id_header`](crate::SessionHeaders::with_id_header)). A tracker's token under this
//!    name is decoded to the id. Of several tokens, joined by commas or in several headers, the last that decodes counts.
//!    Without a token all values must be the same id; next to a malformed value an id does not count.
//! 2. The headers `X-OpenReplay-SessionToken` and `X-OpenReplay-Session-Token`
//!    ([`with_token_headers`](crate::SessionHeaders::with_token_headers)), in this order: tokens only, the last that decodes.
//! 3. With the feature `baggage`, the member `session.id` of the header [`baggage`](#baggage): numbers only.
//! 4. A query parameter, if one is named ([`with_query_parameter`](SessionLayer::with_query_parameter)): ids only. A token there is
//!    malformed, as is a list joined by commas; where the parameter is repeated, all values must be the same id.
//!
//! Empty values, `undefined`, `null` and `NaN` are no values. A request in which no place gives an id is an ordinary request
//! without a session. Header names are compared without regard to case, as header names are; the parameter's exactly.
//!
//! A token lets its holder write into the recording. It is forgotten once its id is read, and the header values that
//! hold one are marked [sensitive](http::HeaderValue::set_sensitive), so that `Debug` does not show them; those under the
//! default names also where other names are read. Layers outside of this one see the values before they are marked: if one of
//! them prints headers, put tower-http's `SetSensitiveRequestHeadersLayer` with [`header_names`](crate::header_names) around it.
//! The headers themselves stay in the request; [`propagate`](crate::propagate#what-happens-to-the-headers) takes them
//! out of requests to other services.
//!
//! # Baggage
//!
//! A service in another language that knows OpenTelemetry alone forwards neither of these headers, but it forwards
//! [W3C Baggage](https://www.w3.org/TR/baggage/), by default. With the feature `baggage` the session travels there, too, as the member
//! `session.id`. Its value is percent-decoded, and properties behind a `;` are passed over. Only an id as OpenReplay writes it counts,
//! an unsigned 64-bit integer in decimal: other programs have sessions of their own under this name. Two different ids, in one header or in
//! several, contradict each other; next to any other value an id does not count.
//!
//! [`propagate`](crate::propagate#what-happens-to-the-headers) sets the member, and removes it from what goes to hosts that are not named.
//!
//! # Layer order
//!
//! Everything inside the layer logs in the session. In axum the layer that is added last is the outermost:
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
//! In a `ServiceBuilder` the layer that is added first is the outermost:
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
//! tower-http's `TraceLayer` stands where `RequestLogLayer` does.
//!
//! # Behind a proxy
//!
//! **Symptom: the browser sends `openReplaySession.id`, and no request has a session.** To nginx the dot makes a header name
//! invalid, and by default it drops such headers with no more than an info line in its error log. Any of these helps:
//!
//! - `ignore_invalid_headers off;` in nginx's `http` or `server` block.
//! - The tracker option `network: { sessionTokenHeader: true }`: the header that it sets has no dot.
//! - A name without a dot, here with [`with_id_header`](crate::SessionHeaders::with_id_header) and in the page.
//!
//! HAProxy passes the header, in lower case.
//!
//! # From another origin
//!
//! **Symptom: "Request header field openreplaysession.id is not allowed by Access-Control-Allow-Headers in preflight
//! response" in the browser's console, and the request never leaves.** A request with one of the headers to another
//! origin is asked about first. Allow [`header_names`](crate::header_names) in tower-http's `CorsLayer`. `*` suffices only for
//! requests without credentials.
//!
//! `EventSource`, `WebSocket` and `sendBeacon` cannot set headers at all: name a query parameter, into which the page puts
//! `getSessionID()`, never the token. Addresses are logged in many places: tower-http's `TraceLayer` records them in each span.
//!
//! # Work that leaves the request
//!
//! Spawned work takes the session along with [`in_current_session`](openreplay_session::InCurrentSession), the body of a request to
//! another service with [`SessionBody`](crate::SessionBody). Where a framework runs a part of the request elsewhere and hands it
//! the request's extensions, [`with_extension`](SessionLayer::with_extension) puts the id there. A worker that one request starts and
//! others use leaves the session with [`without_session`](openreplay_session::without_session).
//!
//! An upgraded connection leaves the request, too: axum runs the callback of `WebSocketUpgrade::on_upgrade` in a task of its own.
//!
//! ```
//! use axum::{extract::ws::{WebSocket, WebSocketUpgrade}, response::Response};
//! use openreplay_session::{current, scope};
//!
//! async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
//!     let session = current();
//!     upgrade.on_upgrade(move |socket| scope(session, talk(socket)))
//! }
//!
//! async fn talk(socket: WebSocket) {
//!     // logs in the session of the request that was upgraded
//! #   drop(socket);
//! }
//! # let _: axum::Router = axum::Router::new().route("/", axum::routing::any(upgrade));
//! ```

mod future;
mod layer;
mod service;
mod sources;

pub use self::{future::ResponseFuture, layer::SessionLayer, service::SetSession};
