//! The session as an argument of an axum handler.

use std::{convert::Infallible, error::Error, fmt};

use axum_core::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use openreplay_session::{SessionId, current};

use crate::session::sources::Sources;

/// The session of the request.
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_openreplay::{CurrentSession, SessionLayer};
///
/// let app: Router = Router::new()
///     .route("/", get(|session: Option<CurrentSession>| async move { format!("{session:?}") }))
///     .route("/required", get(|CurrentSession(id): CurrentSession| async move { id.to_string() }))
///     .layer(SessionLayer::new());
/// # let _ = app;
/// ```
///
/// As an `Option` it cannot fail. Without one, a request that has no session is refused with `400 Bad Request`, and
/// one that sends an id where [`SessionLayer`](crate::SessionLayer) is missing with `500 Internal Server Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentSession(pub SessionId);

impl<S: Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = CurrentSessionRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        current().map(Self).ok_or_else(|| {
            // only on this way out: tells a missing layer from a missing id without a mark on each request
            match Sources::default().in_headers(&mut parts.headers) {
                Some(_) => CurrentSessionRejection::MissingLayer,
                None => CurrentSessionRejection::NoSession,
            }
        })
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for CurrentSession {
    type Rejection = Infallible;

    async fn from_request_parts(
        _parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(current().map(Self))
    }
}

/// Why there is no [`CurrentSession`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CurrentSessionRejection {
    /// The request sends an id, and no [`SessionLayer`](crate::SessionLayer) has read it.
    MissingLayer,
    /// The request sends no id, or none that is one.
    NoSession,
}

impl fmt::Display for CurrentSessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingLayer => {
                "the request has an OpenReplay session id, but runs in no session: `tower_openreplay::SessionLayer` is missing around this route"
            }
            Self::NoSession => "the request has no OpenReplay session id",
        })
    }
}

impl Error for CurrentSessionRejection {}

impl IntoResponse for CurrentSessionRejection {
    fn into_response(self) -> Response {
        let status = match self {
            Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoSession => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}
