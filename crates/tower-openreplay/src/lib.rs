#![cfg_attr(docsrs, feature(doc_cfg))]
//! Tower layers that take OpenReplay's session id from requests and pass it on.
//!
//! A page that OpenReplay records sends its session's id with each request. [`SessionLayer`] puts the id where every
//! line of code of that request finds it; the layers of `tracing-openreplay` write it into every record, and
//! OpenReplay shows the records beside the replay.
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use openreplay_session::current;
//! use tower::ServiceExt as _;
//! use tower_openreplay::SessionLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app: Router = Router::new()
//!     .route("/", get(|| async { current().map_or("none".into(), |id| id.to_string()) }))
//!     .layer(SessionLayer::new());
//!
//! let request = Request::get("/")
//!     .header("openReplaySession.id", "4950498349085463837")
//!     .body(Body::empty())?;
//! let body = app.oneshot(request).await?.into_body();
//! assert_eq!(axum::body::to_bytes(body, 100).await?, "4950498349085463837");
//! # Ok(())
//! # }
//! ```
//!
//! - [`session`]: the session of a request, where it is looked for, where the layer stands among others;
//!   [behind a proxy](session#behind-a-proxy), [from another origin](session#from-another-origin).
//! - [`propagate`]: the session on requests to the next service.
//! - [`session_of`]: the session that some headers name.
//! - [`SessionBody`]: a body that is polled and dropped in a session.
//! - `CurrentSession`: an axum extractor, with the feature `axum`.
//!
//! # Features
//!
//! - `axum`: the extractor `CurrentSession`, on axum-core alone
//!
//! The crate of the id and the current session is re-exported as [`openreplay_session`]; `serde` and `stream` are its features.

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

mod body;
mod headers;
mod names;
mod poll_to_end;

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use self::extract::CurrentSession;
pub use self::{
    body::SessionBody,
    headers::session_of,
    names::{
        OPENREPLAY_SESSION_ID, X_OPENREPLAY_SESSION_TOKEN, X_OPENREPLAY_SESSIONTOKEN, header_names,
    },
    propagate::{PropagateSession, PropagateSessionLayer, propagate_session},
    session::{SessionLayer, SetSession},
};
#[cfg(feature = "request-log")]
#[cfg_attr(docsrs, doc(cfg(feature = "request-log")))]
pub use self::{
    failure::Failure,
    request_log::{RequestLog, RequestLogLayer},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
