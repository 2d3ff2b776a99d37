//! An error type for handlers, which is logged with its causes and hidden from the client.
//!
//! If a handler returns a [`Failure`], the client receives a plain `500 Internal Server Error`, and
//! the error is logged with its causes in the session of the request.
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
//! - With [`RequestLogLayer`](crate::RequestLogLayer), the error is a field of the request's
//!   record. If the `Failure` was created in a session and the request's record has none, the error
//!   has a record of its own instead.
//! - With [`SessionLayer`](crate::SessionLayer) only, the layer logs the error when the response
//!   passes through it.
//! - With neither layer, or if a middleware replaces the response, the error is logged when it is
//!   dropped.
//!
//! An error that the handler handles itself is dropped as well, and logged as a failed request. If
//! the request has not failed, take the error out with [`Failure::into_error`], which does not log
//! it.
//!
//! If a cache returns the response again, the records of those later requests have no field
//! `error`: the text of the error belongs to the first request and may contain another visitor's
//! data.
//!
//! The error's record belongs to the session of the request that returns the response or, if there
//! is no response or that request has no session, to the session in which the `Failure` was
//! created. If a panic drops the `Failure`, both the error and the panic are logged. An error with
//! a 5xx status is logged at `ERROR`, with any other status at `INFO`.
//!
//! # Your own error type
//!
//! If your error type implements `IntoResponse`, attach the error to the response:
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
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Response, StatusCode};
use openreplay_session::Scope;
use tracing::Span;

use crate::{polling::is_polling, record};

/// An error that is logged once with its causes, and hidden from the client.
///
/// `?` converts any error into a `Failure`, including `anyhow::Error`, `eyre::Report` and boxed
/// errors. The status of the response is `500 Internal Server Error` unless it is set with
/// [`with_status`](Self::with_status). See the [module documentation](self).
pub struct Failure {
    unlogged: Box<Unlogged>,
}

impl Failure {
    /// Creates a failure from an error or a string, with the status `500 Internal Server Error`.
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

    /// Returns the status of the response.
    ///
    /// ```
    /// use axum::http::StatusCode;
    /// use tower_openreplay::Failure;
    ///
    /// let failure = Failure::new("sold out").with_status(StatusCode::CONFLICT);
    /// assert_eq!(failure.status(), StatusCode::CONFLICT);
    /// assert_eq!(failure.error().to_string(), "sold out");
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.unlogged.status
    }

    /// Returns the error. Do not show it to the client.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.unlogged.error
    }

    /// Returns the error, which is not logged any more.
    ///
    /// Use this to handle the error, or to convert it into an error of another type.
    ///
    /// ```
    /// use tower_openreplay::Failure;
    ///
    /// let failure = Failure::new("sold out");
    /// assert_eq!(failure.into_error().to_string(), "sold out");
    /// ```
    #[must_use]
    pub fn into_error(mut self) -> Box<dyn Error + Send + Sync> {
        *self.unlogged.is_logged.get_mut() = true;
        // Boxing a value without a size does not allocate.
        mem::replace(&mut self.unlogged.error, Box::new(fmt::Error))
    }

    /// Attaches the error to a response, which does not change otherwise.
    ///
    /// The level of the record depends on the status of the response when it is logged: `ERROR` for
    /// a 5xx, `INFO` for any other.
    pub fn attach_to<B>(mut self, mut response: Response<B>) -> Response<B> {
        self.unlogged.status = response.status();
        self.unlogged.move_to_caller();
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
    /// Returns the error attached to a response, which the record of the request must then contain.
    /// Returns `None` if the error was already logged.
    ///
    /// If the error has a session and the request has none, the error is logged in its own session
    /// instead. The record of a request without a session must not be in the session of another
    /// request.
    pub(crate) fn claim_for_request<B>(response: &Response<B>) -> Option<Self> {
        let attached = response.extensions().get::<Self>()?;
        if !attached.0.begin() {
            return None;
        }
        let (here, own) = (Scope::current(), attached.0.scope);
        if here.session().is_none() && own.session().is_some() {
            attached.0.log(response.status());
            return None;
        }
        Some(attached.clone())
    }

    pub(crate) fn error(&self) -> &(dyn Error + 'static) {
        &*self.0.error
    }

    /// Logs the error in the caller's session, which is that of the request, or in its own if the
    /// caller has none.
    #[cold]
    fn log_for_caller(&self, status: StatusCode) {
        if is_polling() || !self.0.begin() {
            return;
        }
        let here = Scope::current();
        if matches!(here, Scope::Session(_)) && !self.0.is_of(here) {
            // a record of this session must not have the error's span, which is of another request
            record::failure(&Span::current(), self.error(), status);
        } else {
            self.0.log(status);
        }
    }
}

/// Logs the error attached to a response, unless it was already logged or a `RequestLog` will log
/// it.
#[inline]
pub(crate) fn log_attached<B>(response: &Response<B>) {
    if let Some(attached) = response.extensions().get::<Attached>() {
        attached.log_for_caller(response.status());
    }
}

/// An error that has not been logged yet, and is logged on drop.
struct Unlogged {
    error: Box<dyn Error + Send + Sync>,
    status: StatusCode,
    scope: Scope,
    span: Span,
    is_logged: AtomicBool,
}

impl Unlogged {
    /// Returns whether the caller is the first to log the error.
    fn begin(&self) -> bool {
        !self.is_logged.swap(true, Ordering::Relaxed)
    }

    /// Logs the error in its own session and span, whatever the caller's are.
    fn log(&self, status: StatusCode) {
        self.scope
            .restore(|| record::failure(&self.span, &*self.error, status));
    }

    fn is_of(&self, scope: Scope) -> bool {
        matches!(scope, Scope::Session(_)) && self.scope == scope
    }

    /// Moves the error to the caller's session and span, if it was created in another session.
    ///
    /// The record of a request must not have the span of another request.
    fn move_to_caller(&mut self) {
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
            // `drop` may run during a panic, so a panic of the error's `Display` must not leave it.
            let _ = catch_unwind(AssertUnwindSafe(|| self.log(self.status)));
        }
    }
}
