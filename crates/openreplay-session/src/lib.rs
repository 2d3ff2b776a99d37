#![cfg_attr(docsrs, feature(doc_cfg))]
//! The id of an [OpenReplay](https://openreplay.com) session, and the current session of the
//! running code.
//!
//! A page that OpenReplay records sends the id of its session with each request.
//! [`tower-openreplay`] makes that session current for the code that serves the request, and
//! [`tracing-openreplay`] writes the id into each log record. Use this crate directly if a session
//! arrives some other way, for instance from a queue, or if work leaves the task of its request.
//!
//! ```toml
//! [dependencies]
//! openreplay-session = "0.1"
//! ```
//!
//! ```
//! use openreplay_session::{SessionId, SessionIdError, current, sync_scope};
//!
//! fn main() -> Result<(), SessionIdError> {
//!     let id: SessionId = "4950498349085463837".parse()?;
//!
//!     assert_eq!(current(), None);
//!     sync_scope(id, || assert_eq!(current(), Some(id)));
//!     Ok(())
//! }
//! ```
//!
//! # Spawned work
//!
//! The session is task-local: it follows the future that it was set for through every `await` and
//! across threads, with any async runtime. To take the session to another task or thread, call
//! [`in_current_session`](InCurrentSession::in_current_session) on the future, or
//! [`in_current_session()`] with the closure:
//!
//! ```
//! use openreplay_session::{InCurrentSession as _, SessionId, current, in_current_session, scope};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! scope(SessionId::from(42), async {
//!     let task = tokio::spawn(async { current() }.in_current_session());
//!     assert_eq!(task.await.unwrap(), Some(SessionId::from(42)));
//!
//!     let blocking = tokio::task::spawn_blocking(in_current_session(current));
//!     assert_eq!(blocking.await.unwrap(), Some(SessionId::from(42)));
//! })
//! .await;
//! # }
//! ```
//!
//! # Shared workers and connections
//!
//! A worker or a connection that one request starts and others share belongs to no session. Wrap
//! such work in [`without_session`] or [`sync_without_session`]: inside, code has no session, even
//! if a span of the request is entered. To share a future between several requests, wrap the future
//! first: `without_session(work).shared()`.
//!
//! A plain `tokio::spawn(work)` has no session either, unless `work` is instrumented with a span of
//! the request. A span with `parent: None` also leaves the session, but only while that span is
//! enabled; `without_session` works at every log level.
//!
//! ```
//! use openreplay_session::{SessionId, current, scope, without_session};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! scope(SessionId::from(42), async {
//!     let pool = without_session(async { current() }).await;
//!     assert_eq!(pool, None);
//! })
//! .await;
//! # }
//! ```
//!
//! # One version per program
//!
//! Two versions of this crate in one program would each keep a current session that the other does
//! not see. The crate sets `links`, so that Cargo rejects such a dependency graph.
//! `tower-openreplay` and `tracing-openreplay` re-export the version that they use.
//!
//! # Features
//!
//! All features are off by default.
//!
//! - `http`: converts between a session id and
//!   [`http::HeaderValue`](https://docs.rs/http/1/http/struct.HeaderValue.html).
//! - `serde`: serializes a session id as a string, and deserializes it from a string or an integer.
//! - `stream`: implements `Stream` for [`InSession`], so that [`scope`], [`without_session`] and
//!   [`InCurrentSession`] also accept streams.
//!
//! # See also
//!
//! - [`tower-openreplay`]: the layer that sets the session of each request
//! - [`tracing-openreplay`]: layers that write the session into each record
//! - `docs/spawns-streams-websockets.md` in the repository: spawns, pools, workers, streams and
//!   WebSockets, with examples
//!
//! [`tower-openreplay`]: https://docs.rs/tower-openreplay
//! [`tracing-openreplay`]: https://docs.rs/tracing-openreplay

mod closure;
mod current;
mod error;
mod future;
mod id;
mod token;

#[cfg(feature = "http")]
mod header;
#[cfg(feature = "serde")]
mod serde;

pub use self::{
    closure::in_current_session,
    current::{Entered, Scope, current, sync_scope, sync_without_session},
    error::SessionIdError,
    future::{InCurrentSession, InSession, scope, without_session},
    id::SessionId,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
