#![cfg_attr(docsrs, feature(doc_cfg))]
//! Tower layers that take OpenReplay's session id from requests, log each request in its session,
//! and pass the session on.
//!
//! A page that OpenReplay records sends the id of its session with each request. [`SessionLayer`]
//! makes the id available to all code that serves the request. The layers of `tracing-openreplay`
//! write it into every record, and OpenReplay shows the records next to the replay.
//!
//! ```toml
//! [dependencies]
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
//! | use header names of your own | [`SessionHeaders`] |
//! | read the session that a set of headers names | [`session_of`] |
//! | poll a body in a session | [`SessionBody`] |
//! | take the session as an argument of an axum handler | [`CurrentSession`] |
//!
//! See also [behind a proxy](session#behind-a-proxy) and [from another
//! origin](session#from-another-origin).
//!
//! # Features
//!
//! - `request-log`, on by default: [`RequestLogLayer`] and [`Failure`]; brings `tracing` and
//!   tower-http's `classify`
//! - `axum`: [`CurrentSession`], [`Failure`] as a response, and the route in the records of
//!   [`RequestLogLayer`]; brings axum without its default features
//! - `baggage`: the session in the member `session.id` of W3C Baggage, in and out, for
//!   [services that only use OpenTelemetry](session#baggage)
//! - `serde`, `stream`: the features of [`openreplay_session`]
//!
//! [`openreplay_session`], the crate of the id and the current session, is re-exported.

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
