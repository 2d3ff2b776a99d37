//! An axum extractor for the current session.

use std::{convert::Infallible, error::Error, fmt};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use openreplay_session::{SessionId, current};

/// An extractor for the session of the request.
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
/// `Option<CurrentSession>` never fails. `CurrentSession` rejects a request that runs in no session
/// with `400 Bad Request`. This includes requests with an id if
/// [`SessionLayer`](crate::SessionLayer) is missing, because the extractor cannot distinguish the
/// two cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "handlers destructure it in their arguments"
)]
pub struct CurrentSession(pub SessionId);

impl<S: Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = CurrentSessionRejection;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        current().map(Self).ok_or(CurrentSessionRejection)
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

/// The rejection of [`CurrentSession`]: the request has no valid session id, or
/// [`SessionLayer`](crate::SessionLayer) does not wrap the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurrentSessionRejection;

impl fmt::Display for CurrentSessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the request has no OpenReplay session id, or `tower_openreplay::SessionLayer` is not around this route",
        )
    }
}

impl Error for CurrentSessionRejection {}

impl IntoResponse for CurrentSessionRejection {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.to_string()).into_response()
    }
}
