//! Errors of handlers: answered without a word of what went wrong, logged once with every cause.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Response, StatusCode},
    response::IntoResponse,
};
use tracing::Span;

/// Any error that a handler returns with `?`.
#[derive(Clone, Debug)]
pub(crate) struct AppError(Arc<dyn Error + Send + Sync>);

impl<E: Error + Send + Sync + 'static> From<E> for AppError {
    fn from(error: E) -> Self {
        Self(Arc::new(error))
    }
}

impl IntoResponse for AppError {
    /// The client learns nothing; the error itself goes along with the response to whoever logs it.
    fn into_response(self) -> axum::response::Response {
        let mut response = internal_server_error();
        response.extensions_mut().insert(self);
        response
    }
}

/// What a client gets for an error or a panic.
pub(crate) fn internal_server_error() -> axum::response::Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}

/// The one place that logs a failed request, wherever its 5xx came from.
pub(crate) fn log_server_error(response: &Response<Body>, _after: Duration, _span: &Span) {
    match response.extensions().get::<AppError>() {
        Some(error) => tracing::error!("Error: {error}"),
        None if response.status().is_server_error() => {
            tracing::error!("Error: answered {}", response.status());
        }
        None => {}
    }
}

/// The error on the first line, which OpenReplay shows in the row, and a cause on each of the next.
impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
