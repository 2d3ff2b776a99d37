#![cfg_attr(docsrs, feature(doc_cfg))]
//! Tower middleware that reads [OpenReplay](https://openreplay.com)'s session id from requests,
//! logs each request in its session, and passes the session on to other services.
//!
//! A page that OpenReplay records sends the id of its session with each request. [`SessionLayer`]
//! makes the session current for all code that serves the request. The layers of
//! [`tracing-openreplay`] write its id into every record, and OpenReplay shows the records next to
//! the session's replay. The middleware works with axum, tonic, hyper and any other Tower service.
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tower-openreplay = { version = "0.1", features = ["axum"] }
//! tracing-openreplay = "0.1"
//! ```
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     tracing_openreplay::init();
//!     let app = Router::new()
//!         .route("/api/price", get(price))
//!         .layer(RequestLogLayer::new()) // one record per request; a failure with its error
//!         .layer(SessionLayer::new()); // outermost: everything inside logs in the request's session
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).await
//! }
//!
//! async fn price() -> Result<String, Failure> {
//!     let price = std::fs::read_to_string("price.txt")?; // any error
//!     Ok(price)
//! }
//! ```
//!
//! | to | use |
//! |---|---|
//! | run each request in its session | [`SessionLayer`] |
//! | log each request once, and a failure with its error and causes | [`RequestLogLayer`] |
//! | return any error from a handler | [`Failure`] |
//! | send the session to other services | [`PropagateSessionLayer`], [`propagate_session`] |
//! | use custom header names | [`SessionHeaders`] |
//! | read the session from a `HeaderMap` | [`session_of`] |
//! | poll a body in a session | [`SessionBody`] |
//! | take the session as an argument of an axum handler | [`CurrentSession`] |
//!
//! If requests have no session, see [behind a proxy](session#behind-a-proxy) and [from another
//! origin](session#from-another-origin).
//!
//! # Features
//!
//! - `request-log` (default): enables [`RequestLogLayer`] and [`Failure`], and depends on `tracing`
//!   and tower-http's `classify`.
//! - `axum`: enables [`CurrentSession`], implements `IntoResponse` for [`Failure`], and adds the
//!   route to the records of [`RequestLogLayer`]. It depends on axum without its default features.
//! - `baggage`: reads and writes the session in the member `session.id` of W3C Baggage, for
//!   [services that only use OpenTelemetry](session#baggage).
//! - `serde`, `stream`: enable the features of [`openreplay_session`] with the same names.
//!
//! # See also
//!
//! - [`openreplay_session`], which this crate re-exports: the session id, and the current session
//! - [`tracing-openreplay`]: layers that write the session into each record
//! - [`openreplay-elastic`](https://docs.rs/openreplay-elastic) and
//!   [`openreplay-store`](https://docs.rs/openreplay-store): deliver the records to OpenReplay
//! - The guide in the folder `docs` of the repository, with pages on axum, tonic, hyper, proxies
//!   and other services
//!
//! [`tracing-openreplay`]: https://docs.rs/tracing-openreplay

pub use openreplay_session;

pub mod propagate;
pub mod session;

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod extract;

#[cfg(feature = "request-log")]
#[cfg_attr(docsrs, doc(cfg(feature = "request-log")))]
pub mod failure;
#[cfg(feature = "request-log")]
#[cfg_attr(docsrs, doc(cfg(feature = "request-log")))]
pub mod request_log;

#[cfg(feature = "baggage")]
mod baggage;
mod body;
mod decode;
mod headers;
mod names;
mod poll_to_end;
#[cfg(feature = "request-log")]
mod polling;
#[cfg(feature = "request-log")]
mod record;
mod verdict;

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
#[doc(inline)]
pub use self::extract::CurrentSession;
#[doc(inline)]
pub use self::{
    body::SessionBody,
    headers::{SessionHeaders, session_of},
    names::{
        OPENREPLAY_SESSION_ID, X_OPENREPLAY_SESSION_TOKEN, X_OPENREPLAY_SESSIONTOKEN, header_names,
    },
    propagate::{PropagateSession, PropagateSessionLayer, propagate_session},
    session::{SessionLayer, SetSession},
};
#[cfg(feature = "request-log")]
#[cfg_attr(docsrs, doc(cfg(feature = "request-log")))]
#[doc(inline)]
pub use self::{
    failure::Failure,
    request_log::{RequestLog, RequestLogLayer},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
