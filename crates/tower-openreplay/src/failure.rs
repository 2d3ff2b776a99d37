//! An error that travels with its response.
//!
//! [`Failure`] is what a handler returns for an error: the client gets a bare `500 Internal Server
//! Error`, and the log gets the error with its causes, in the session of the request.
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
//!
//! async fn order() -> Result<String, Failure> {
//!     let number: u32 = "seventeen".parse()?; // any error
//!     Ok(format!("order {number}"))
//! }
//!
//! let app: Router = Router::new()
//!     .route("/order", get(order))
//!     .layer(RequestLogLayer::new())
//!     .layer(SessionLayer::new());
//! # let _ = app;
//! ```
//!
//! # Logged exactly once
//!
//! - With [`RequestLogLayer`](crate::RequestLogLayer), the error is a field of the request's one
//!   record.
//! - Without it, [`SessionLayer`](crate::SessionLayer) logs the error when the response passes.
//! - With neither, or if a middleware replaces the response, the error is logged when it is
//!   dropped.
//!
//! In each case the record belongs to the session that gets the response, or to that in which the
//! `Failure` was created if there is no response. A `Failure` that a panic drops is logged next to
//! the panic. The order of the two layers does not matter. A 5xx is logged at `ERROR`, any other
//! status at `INFO`.
//!
//! # Your own error type
//!
//! A type that implements `IntoResponse` itself attaches its error to the response in one line:
//!
//! ```
//! use axum::{
//!     http::StatusCode,
//!     response::{IntoResponse, Response},
//! };
//! use tower_openreplay::Failure;
//!
//! #[derive(Debug)]
//! struct OutOfStock;
//!
//! impl std::fmt::Display for OutOfStock {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
//!         f.write_str("out of stock")
//!     }
//! }
//!
//! impl std::error::Error for OutOfStock {}
//!
//! impl IntoResponse for OutOfStock {
//!     fn into_response(self) -> Response {
//!         let response = (StatusCode::CONFLICT, "sold out").into_response();
//!         Failure::new(self).attach_to(response)
//!     }
//! }
//! ```

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Response, StatusCode};
use openreplay_session::Scope;
use tracing::Span;

use crate::request_log::{is_polling, record};

/// An error of a handler: logged once with its causes, answered without them. See the
/// [module](self).
///
/// Converts from any error with `?`, from `anyhow::Error`, `eyre::Report` and boxed errors too. The
/// response's status is `500 Internal Server Error`, or that of [`with_status`](Self::with_status).
pub struct Failure {
    unlogged: Box<Unlogged>,
}

impl Failure {
    /// Creates a failure from an error or a text. Its status is `500 Internal Server Error`.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            unlogged: Box::new(Unlogged {
                error: error.into(),
                status: StatusCode::INTERNAL_SERVER_ERROR,
                scope: Scope::current(),
                span: Span::current(),
                is_logged: AtomicBool::new(false),
            }),
        }
    }

    /// Sets the status of the response. Default: `500 Internal Server Error`.
    ///
    /// ```
    /// use axum::http::StatusCode;
    /// use tower_openreplay::Failure;
    ///
    /// async fn price() -> Result<&'static str, Failure> {
    ///     let missing = |error| Failure::new(error).with_status(StatusCode::NOT_FOUND);
    ///     std::env::var("PRICE").map_err(missing)?;
    ///     Ok("12.50")
    /// }
    /// # let _ = price;
    /// ```
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.unlogged.status = status;
        self
    }

    /// Attaches the error to a response of yours, which it leaves as it is otherwise.
    ///
    /// The status that the response has when it is logged counts: a 5xx is logged at `ERROR`, any
    /// other at `INFO`.
    pub fn attach_to<B>(mut self, mut response: Response<B>) -> Response<B> {
        self.unlogged.status = response.status();
        self.unlogged.belong_here();
        let attached = Attached(Arc::new(*self.unlogged));
        response.extensions_mut().insert(attached);
        response
    }
}

impl<E> From<E> for Failure
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl axum::response::IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        let status = self.unlogged.status;
        let text = status.canonical_reason().unwrap_or_default();
        self.attach_to((status, text).into_response())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("error", &self.unlogged.error)
            .field("status", &self.unlogged.status)
            .finish()
    }
}

/// The error in the extensions of a response.
#[derive(Clone)]
pub(crate) struct Attached(Arc<Unlogged>);

impl Attached {
    /// Returns the attached error of a response for the caller to log, unless it is logged already.
    pub(crate) fn take<B>(response: &Response<B>) -> Option<Self> {
        let attached = response.extensions().get::<Self>()?;
        attached.0.begin().then(|| attached.clone())
    }

    pub(crate) fn error(&self) -> &(dyn Error + 'static) {
        &*self.0.error
    }

    /// Logs the error in the caller's session: the request whose response it is.
    #[cold]
    fn log_here(&self, status: StatusCode) {
        if is_polling() || !self.0.begin() {
            return;
        }
        if self.0.is_of(Scope::current()) {
            record::failure(&self.0.span, self.error(), status);
        } else {
            self.in_session(|| record::failure(&Span::current(), self.error(), status));
        }
    }

    /// Runs a closure in the caller's session, or in that of the error if the caller has none.
    pub(crate) fn in_session<R>(&self, f: impl FnOnce() -> R) -> R {
        match Scope::current() {
            Scope::Session(_) => f(),
            Scope::NoSession | Scope::Unset => self.0.scope.restore(f),
        }
    }
}

/// Logs the error attached to a response, unless it is logged already or a `RequestLog` will do so.
#[inline]
pub(crate) fn log_attached<B>(response: &Response<B>) {
    if let Some(attached) = response.extensions().get::<Attached>() {
        attached.log_here(response.status());
    }
}

/// An error until it is logged. Logs itself if it is dropped before.
struct Unlogged {
    error: Box<dyn Error + Send + Sync>,
    status: StatusCode,
    scope: Scope,
    span: Span,
    is_logged: AtomicBool,
}

impl Unlogged {
    /// Whether the caller is the first to log it.
    fn begin(&self) -> bool {
        !self.is_logged.swap(true, Ordering::Relaxed)
    }

    /// Logs the error in its own session and span, never in another that the caller has.
    fn log(&self) {
        self.scope
            .restore(|| record::failure(&self.span, &*self.error, self.status));
    }

    fn is_of(&self, scope: Scope) -> bool {
        matches!(scope, Scope::Session(_)) && self.scope == scope
    }

    /// Gives the error to the request that responds with it, if that is another than the one that
    /// caused the error: it must not carry the span of the other.
    fn belong_here(&mut self) {
        let here = Scope::current();
        if matches!(here, Scope::Session(_)) && !self.is_of(here) {
            self.scope = here;
            self.span = Span::current();
        }
    }
}

impl Drop for Unlogged {
    fn drop(&mut self) {
        if !*self.is_logged.get_mut() {
            // a panic of the error's `Display` must not leave a `drop`, which may run in a panic
            let _ = catch_unwind(AssertUnwindSafe(|| self.log()));
        }
    }
}
