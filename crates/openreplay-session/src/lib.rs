#![cfg_attr(docsrs, feature(doc_cfg))]
//! The OpenReplay session id of the current request, and where it lives.
//!
//! A page that OpenReplay records sends the id of its session with every request.
//! This crate is the value itself and the place where the code that serves the request finds it:
//! `tower-openreplay` puts it there, `tracing-openreplay` reads it for every record.
//! Use it directly where a session comes in by another way, from a queue for instance.
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
//! The session is task-local: it follows the future that it was set around through every `await` and onto
//! every thread, and nothing else. It needs no particular runtime. Work that is handed to another task or thread takes
//! it along with one call:
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
//! A worker or a connection that one request starts and others use belongs to none of them. A task that is
//! spawned with no session has none, as long as it takes no span of the request along either.
//! [`without_session`] and [`sync_without_session`] leave the session and the spans behind. They need no span, so they work at every log
//! level; a span with `parent: None` is a boundary only while that span is enabled. Wrap a future that several requests share before
//! you share it: `without_session(work).shared()`.
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
//! The current session is one per process. Two versions of this crate would each have one of their own, and what one
//! of them sets the other would not see. So the crate sets `links`, and Cargo rejects a dependency graph with
//! two of its versions. `tower-openreplay` and `tracing-openreplay` re-export the version that they use.
//!
//! # Features
//!
//! - `http`: a session id from and into [`http::HeaderValue`](https://docs.rs/http/1/http/struct.HeaderValue.html)
//! - `serde`: a session id as a string; an integer is read as well
//! - `stream`: [`scope`], [`without_session`] and [`InCurrentSession`] for `Stream`s, on futures-core alone

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
