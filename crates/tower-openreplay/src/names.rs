use http::HeaderName;

/// `openReplaySession.id`: the session's id, set by the page.
pub const OPENREPLAY_SESSION_ID: HeaderName = HeaderName::from_static("openreplaysession.id");

/// `X-OpenReplay-SessionToken`: the session's token, set by the tracker with
/// `network: { sessionTokenHeader: true }`. The page needs a `sanitizer` as well, or the recording
/// contains the token.
pub const X_OPENREPLAY_SESSIONTOKEN: HeaderName =
    HeaderName::from_static("x-openreplay-sessiontoken");

/// `X-OpenReplay-Session-Token`: the same token, as the tracker spells the name for its axios
/// instances.
pub const X_OPENREPLAY_SESSION_TOKEN: HeaderName =
    HeaderName::from_static("x-openreplay-session-token");

pub(crate) static TOKEN_HEADERS: [HeaderName; 2] =
    [X_OPENREPLAY_SESSIONTOKEN, X_OPENREPLAY_SESSION_TOKEN];

pub(crate) static HEADERS: [HeaderName; 3] = [
    OPENREPLAY_SESSION_ID,
    X_OPENREPLAY_SESSIONTOKEN,
    X_OPENREPLAY_SESSION_TOKEN,
];

/// The request headers that a page of another origin must be allowed to send.
///
/// ```
/// use http::header::CONTENT_TYPE;
/// use tower_http::cors::{Any, CorsLayer};
///
/// let cors = CorsLayer::new()
///     .allow_origin(Any)
///     .allow_methods(Any)
///     .allow_headers([&tower_openreplay::header_names()[..], &[CONTENT_TYPE]].concat());
/// # let _ = cors;
/// ```
#[must_use]
pub fn header_names() -> [HeaderName; 3] {
    HEADERS.clone()
}
