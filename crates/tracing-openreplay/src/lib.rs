#![cfg_attr(docsrs, feature(doc_cfg))]
//! Tracing layers whose records OpenReplay shows next to the replay.
//!
//! [`json()`] writes each event as one line of JSON in the form that OpenReplay reads:
//!
//! ```
//! use openreplay_session::{SessionId, sync_scope};
//! use tracing_subscriber::prelude::*;
//!
//! # use std::sync::{Arc, Mutex};
//! # let written = Arc::new(Mutex::new(Vec::new()));
//! # #[derive(Clone)] struct Writer(Arc<Mutex<Vec<u8>>>);
//! # impl std::io::Write for Writer {
//! #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> { self.0.lock().unwrap().write(bytes) }
//! #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
//! # }
//! # let writer = Writer(written.clone());
//! # let writer = move || writer.clone();
//! tracing_subscriber::registry()
//!     .with(tracing_openreplay::json().with_service_name("shop").with_writer(writer))
//!     .init();
//!
//! // `tower-openreplay` does this for each request
//! sync_scope(SessionId::from(4950498349085463837), || {
//!     tracing::error!(status = 500, "Error: no answer");
//! });
//!
//! # let line = String::from_utf8(written.lock().unwrap().clone()).unwrap();
//! let record: serde_json::Value = serde_json::from_str(&line)?;
//! assert_eq!(record["level"], "error");
//! assert_eq!(record["tags"][0], "error");
//! assert_eq!(record["message"], "[openReplaySession.id=4950498349085463837] Error: no answer status=500");
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Which session a record belongs to
//!
//! 1. The session of the running task, which [`openreplay_session`] keeps and `tower-openreplay`
//!    sets. A task that left its session ([`without_session`](openreplay_session::without_session))
//!    has none, whatever its spans are.
//! 2. Otherwise the session of the nearest span around the event that was created in one. A span
//!    that was created where the session had been left has none, and neither does one with an
//!    explicit `parent: None`: such a span belongs to no request, and nor do the spans that are
//!    created inside it in the same session.
//!
//! So work that is handed to another task or thread has two ways to take its session along:
//!
//! - `in_current_session()`, of [`openreplay_session::InCurrentSession`] for futures and
//!   [`openreplay_session::in_current_session`] for closures. It works whatever the log level and
//!   the filters.
//! - a span of the request: `tokio::spawn(work.in_current_span())`. It works as long as the layer
//!   sees that span. Under `RUST_LOG=error` most spans are off. An event with an explicit `parent:`
//!   which a filter of the layer hides has no session, even where a span further out has one.
//!
//! A worker or a connection that one request starts and others use must take neither along: create
//! its span inside the spawned task, or wrap the task in `without_session`.
//!
//! A boundary exists only for layers that see its span. If the level or a filter hides a span with
//! `parent: None`, or a span that was created without a session, its descendants belong to the
//! spans around it. `layer.with_filter(f).with_session()` sees all spans that any layer sees,
//! whatever `f` hides.
//!
//! # Any other layer
//!
//! [`LayerExt::with_session`] makes the events of any layer carry their session, `fmt::layer()` for
//! instance.
//!
//! # Setup in one call
//!
//! `tracing_openreplay::init()`, or `json().init()` for options, installs [`json()`] with a filter
//! from `RUST_LOG`, captures records of the crate `log`, and calls [`log_panics()`].
//!
//! # Panics
//!
//! [`log_panics()`] writes a record for each panic. To write the records of sessions alone, see
//! [`SessionOnly`].
//!
//! # Features
//!
//! - `init`, on by default: `init()`, `try_init()` and the methods of these names on [`Json`]. They
//!   need tracing-subscriber's `env-filter`, which depends on a regular expression engine.
//! - `opentelemetry`: `trace.id` and `span.id` in the records of [`json()`], from OpenTelemetry's
//!   current context. Tested with `opentelemetry` 0.33 and `tracing-opentelemetry` 0.34, whose
//!   layer sets the context when a span is entered.
//! - `sentry`: the module [`sentry`], for `before_send` of the crate `sentry`, version 0.49.
//! - `valuable`: with `--cfg tracing_unstable`, values of the crate `valuable` keep their
//!   structure.

pub use openreplay_session;

mod causes;
mod close;
mod filter;
#[cfg(feature = "init")]
mod init;
mod json;
mod kept;
mod lookup;
mod panics;
mod replay;
#[cfg(feature = "sentry")]
pub mod sentry;
mod text;
mod with_session;

#[cfg(feature = "init")]
pub use self::init::{init, try_init};
pub use self::{
    filter::{SessionOnly, SessionOrLevel},
    json::{Json, Losses, Stdout, json},
    panics::{PanicLog, log_panics, log_panics_as},
    with_session::{FmtSpanEvents, LayerExt, WithSession},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
