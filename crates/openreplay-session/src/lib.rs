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
//! The session is a Tokio task-local: it follows the future that it was set around through every
//! `await` and onto every thread, and nothing else. What is handed to another task or thread takes it along:
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
//! # Features
//!
//! - `http`: a session id from and into [`http::HeaderValue`](https://docs.rs/http/1/http/struct.HeaderValue.html)

mod closure;
mod current;
mod error;
mod future;
mod id;
mod token;

#[cfg(feature = "http")]
mod header;

pub use self::{
    closure::in_current_session,
    current::{current, sync_scope},
    error::SessionIdError,
    future::{InCurrentSession, InSession, scope},
    id::SessionId,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
