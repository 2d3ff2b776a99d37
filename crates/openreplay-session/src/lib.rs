#![cfg_attr(docsrs, feature(doc_cfg))]
//! The id of an OpenReplay session, and the current session of the running code.
//!
//! A page that OpenReplay records sends the id of its session with every request.
//! [`tower-openreplay`](https://docs.rs/tower-openreplay) sets it around the code that serves the
//! request, and [`tracing-openreplay`](https://docs.rs/tracing-openreplay) writes it into every
//! record. Use this crate directly if a session arrives some other way, for instance from a queue.
//!
//! ```toml
//! [dependencies]
//! openreplay-session = "0.1"
//! ```
//!
//! ```
//! use openreplay_session::{SessionId, current, sync_scope};
//!
//! let id: SessionId = "4950498349085463837".parse()?;
//!
//! assert_eq!(current(), None);
//! sync_scope(id, || assert_eq!(current(), Some(id)));
//! # Ok::<(), openreplay_session::SessionIdError>(())
//! ```
//!
//! # Work that leaves the task
//!
//! The session is task-local: it follows the future around which it was set, through every `await`
//! and on every thread, and nothing else. It needs no particular runtime. Work that is handed to
//! another task or thread takes it along with one call:
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
//! # Work that outlives the request
//!
//! A worker or a connection that one request starts and others use belongs to none of them. A task
//! that is spawned without a session has none, as long as it takes no span of the request along
//! either. [`without_session`] and [`sync_without_session`] leave the session and the spans behind.
//! They need no span, so they work at every log level; a span with `parent: None` is a boundary
//! only while that span is enabled. Wrap a future that several requests share before you share it:
//! `without_session(work).shared()`.
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
//! # Two versions
//!
//! There is one current session per process. Two versions of this crate would each have one of
//! their own, and neither would see what the other sets. So the crate sets `links`, and Cargo
//! rejects a dependency graph with two of its versions. `tower-openreplay` and `tracing-openreplay`
//! re-export the version that they use.
//!
//! # Features
//!
//! All are off by default.
//!
//! - `http`: conversions between a session id and
//!   [`http::HeaderValue`](https://docs.rs/http/1/http/struct.HeaderValue.html)
//! - `serde`: a session id as a string; integers are read as well
//! - `stream`: [`scope`], [`without_session`] and [`InCurrentSession`] for `Stream`s, with
//!   futures-core only

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
