#![cfg_attr(docsrs, feature(doc_cfg))]
//! Layers for `tracing` whose records [OpenReplay](https://openreplay.com) shows next to a
//! session's replay.
//!
//! [`json()`] writes each event as one line of JSON in the form that OpenReplay reads, and
//! [`with_session()`](LayerExt::with_session) adds the session to the events of any other layer.
//! Records in a request belong to its session if [`tower-openreplay`]'s `SessionLayer` wraps the
//! app:
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tower-openreplay = "0.1"
//! tracing = "0.1"
//! tracing-openreplay = "0.1"
//! ```
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use tower_openreplay::SessionLayer;
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     tracing_openreplay::init(); // JSON on stdout, filtered by RUST_LOG, panics included
//!     let app = Router::new()
//!         .route("/api/price", get(price))
//!         .layer(SessionLayer::new());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app).await
//! }
//!
//! async fn price() -> &'static str {
//!     tracing::info!(order = 17, "price requested");
//!     "12.50"
//! }
//! ```
//!
//! In session 42, the message of this record is
//! `[openReplaySession.id=42] price requested order=17`. See [`Json`] for all fields.
//!
//! Outside a request, set the session yourself. To add other layers or options, build the
//! subscriber yourself:
//!
//! ```
//! use tracing_openreplay::openreplay_session::{SessionId, sync_scope};
//! use tracing_subscriber::prelude::*;
//!
//! tracing_subscriber::registry()
//!     .with(tracing_openreplay::json().with_service_name("shop"))
//!     .init();
//!
//! sync_scope(SessionId::from(42), || tracing::error!(status = 500, "no response"));
//! ```
//!
//! | to | use |
//! |---|---|
//! | set up logging in one call | `init()`, `json().init()` |
//! | write records for OpenReplay | [`json()`] |
//! | keep the format of another layer, such as `fmt::layer()` | [`LayerExt::with_session`] |
//! | write only records with a session | [`SessionOnly`] |
//! | write a record for each panic | [`log_panics()`], which `init()` calls |
//! | mark Sentry's events | [`WithSession::as_sentry_tag`], `sentry::before_send` |
//!
//! # The session of a record
//!
//! 1. A record belongs to the session of the running task, which [`openreplay_session`] stores and
//!    `tower-openreplay` sets. If the task left its session with
//!    [`without_session`](openreplay_session::without_session), the record has no session.
//! 2. Otherwise, the record belongs to the session in which the nearest enclosing span was created.
//!    Spans that were created after the session was left have none. Neither do spans with an
//!    explicit `parent: None`, and spans that the same session creates inside these: they belong to
//!    no request.
//!
//! There are therefore two ways to keep the session of work in another task or thread:
//!
//! - `in_current_session()`, from [`openreplay_session::InCurrentSession`] for futures and
//!   [`openreplay_session::in_current_session`] for closures. It works at any log level and with
//!   any filter.
//! - A span of the request: `tokio::spawn(work.in_current_span())`. This only works if the layer
//!   sees the span; with `RUST_LOG=error`, most spans are disabled. If an event has an explicit
//!   `parent:` that a filter of the layer hides, it has no session, even if an outer span has one.
//!
//! A worker or a connection that one request starts and others share must not keep the session.
//! Create its span inside the spawned task, or wrap the task in `without_session`. A span that is
//! kept in a static or a struct keeps the session that it was created in: create it with
//! `parent: None`.
//!
//! A boundary only exists for layers that see its span. If the level or a filter hides a span with
//! `parent: None`, or a span that was created outside a session, its descendants belong to the
//! session of the enclosing spans. `layer.with_filter(f).with_session()` sees all spans that any
//! layer sees, even if `f` hides them.
//!
//! # Features
//!
//! - `init` (default): enables `init()`, `try_init()` and the methods of the same names on
//!   [`Json`]. This feature depends on tracing-subscriber's `env-filter`, which depends on a
//!   regular expression engine.
//! - `opentelemetry`: writes `trace.id` and `span.id` in the records of [`json()`], from
//!   OpenTelemetry's current context. It is tested with `opentelemetry` 0.33 and
//!   `tracing-opentelemetry` 0.34, whose layer sets the context when a span is entered.
//! - `sentry`: enables the module `sentry`, for `before_send` of the crate `sentry`, version 0.49.
//! - `valuable`: keeps the structure of values of the crate `valuable`, with
//!   `--cfg tracing_unstable`.
//!
//! # See also
//!
//! - [`tower-openreplay`]: the layer that sets the session of each request, and one that logs it
//! - [`openreplay_session`], which this crate re-exports: the session id, and the current session
//! - [`openreplay-elastic`](https://docs.rs/openreplay-elastic) and
//!   [`openreplay-store`](https://docs.rs/openreplay-store): deliver the records to OpenReplay
//! - The guide in the folder `docs` of the repository, with pages on existing logging setups,
//!   errors and panics, and OpenTelemetry
//!
//! [`tower-openreplay`]: https://docs.rs/tower-openreplay

pub use openreplay_session;

mod causes;
mod close;
mod filter;
#[cfg(feature = "init")]
mod init;
mod json;
mod kept;
mod lookup;
mod mark;
mod origin;
mod panic_stage;
mod panics;
mod replay;
#[cfg(feature = "sentry")]
pub mod sentry;
mod span_lock;
mod stderr;
mod text;
mod timing;
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
