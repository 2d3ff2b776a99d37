//! The session of a request.
//!
//! [`SessionLayer`] reads the session's id from the request and makes it the current session of
//! everything that serves the request: the inner service's `call`, its future, the frames and
//! trailers of the response body, and the drop of each. So streams and cancelled requests log in
//! their session as well. [`openreplay_session::current`] returns the id.
//!
//! The id, the response and its errors pass through unchanged. The layer neither boxes, clones nor
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
//! The first place that yields an id counts. Two different ids in one place contradict each other:
//! the request then has no session, and the layer reads no further place. Other malformed values
//! are skipped.
//!
//! 1. The header `openReplaySession.id`
//!    ([`with_id_header`](crate::SessionHeaders::with_id_header)). A tracker's token under this
//!    name is decoded to the id. Of several tokens, joined by commas or in several headers, the
//!    last one that decodes counts. Without a token, all values must be the same id; an id next to
//!    a malformed value does not count.
//! 2. The headers `X-OpenReplay-SessionToken` and `X-OpenReplay-Session-Token`
//!    ([`with_token_headers`](crate::SessionHeaders::with_token_headers)), in this order: tokens
//!    only, the last one that decodes.
//! 3. With the feature `baggage`, the member `session.id` of the header [`baggage`](#baggage):
//!    numbers only.
//! 4. A query parameter, if you name one
//!    ([`with_query_parameter`](SessionLayer::with_query_parameter)): ids only. A token or a list
//!    joined by commas is malformed there. If the parameter is repeated, all values must be the
//!    same id.
//!
//! Empty values, `undefined`, `null` and `NaN` do not count. If no place yields an id, the request
//! is an ordinary request without a session. Header names match in any case, the parameter's name
//! only as written.
//!
//! Prefer the id's header. A token lets its holder write into the recording, and the tracker
//! records the header in which it sends the token, unless the page's `sanitizer` removes it. The
//! layer keeps only the id, and marks header values that contain a token
//! [sensitive](http::HeaderValue::set_sensitive), so that `Debug` does not show them; those under
//! the default names also if it reads other names. Layers outside this one see the values before
//! they are marked. If one of them prints headers, put tower-http's
//! `SetSensitiveRequestHeadersLayer` with [`header_names`](crate::header_names) around it. The
//! headers stay in the request; [`propagate`](crate::propagate#what-happens-to-the-headers) removes
//! them from requests to other services.
//!
//! # Baggage
//!
//! A service in another language that uses only OpenTelemetry forwards neither of these headers,
//! but by default it forwards [W3C Baggage](https://www.w3.org/TR/baggage/). With the feature
//! `baggage`, the session travels there as well, as the member `session.id`. The layer
//! percent-decodes its value and ignores properties after a `;`. Only an id as OpenReplay writes it
//! counts, an unsigned 64-bit integer in decimal: other programs keep sessions of their own under
//! this name. Two different ids, in one header or in several, contradict each other; an id next to
//! any other value does not count.
//!
//! [`propagate`](crate::propagate#what-happens-to-the-headers) sets the member, and removes it from
//! requests to hosts that are not named.
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
//! treats a header name with a dot as invalid and drops the header by default. It only logs an
//! `info` line in its error log. Any of these fixes it:
//!
//! - `ignore_invalid_headers off;` in nginx's `http` or `server` block.
//! - A header name without a dot, set with
//!   [`with_id_header`](crate::SessionHeaders::with_id_header) here and in the page.
//! - The tracker's option `network: { sessionTokenHeader: true }`, together with a `sanitizer` that
//!   removes the token from the recording: the tracker records this header like any other.
//!
//! HAProxy forwards the header, in lower case.
//!
//! # From another origin
//!
//! **Symptom: the browser's console shows "Request header field openreplaysession.id is not allowed
//! by Access-Control-Allow-Headers in preflight response", and the request never leaves.** Before
//! the browser sends one of these headers to another origin, it sends a preflight request. Allow
//! [`header_names`](crate::header_names) in tower-http's `CorsLayer`. `*` suffices only for
//! requests without credentials.
//!
//! `EventSource`, `WebSocket` and `sendBeacon` cannot set headers. Name a query parameter, in which
//! the page sends `getSessionID()`, never the token: many programs log addresses, and tower-http's
//! `TraceLayer` records them in each span.
//!
//! # Work that leaves the request
//!
//! Spawned work takes the session along with
//! [`in_current_session`](openreplay_session::InCurrentSession), the body of a request to another
//! service with [`SessionBody`](crate::SessionBody). If a framework runs a part of the request
//! elsewhere and passes the request's extensions on,
//! [`with_extension`](SessionLayer::with_extension) adds the id to them. A worker that one request
//! starts and others use leaves the session with
//! [`without_session`](openreplay_session::without_session).
//!
//! An upgraded connection leaves the request as well: axum runs the callback of
//! `WebSocketUpgrade::on_upgrade` in a separate task.
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
