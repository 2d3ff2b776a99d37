use http::HeaderName;

/// The header `openReplaySession.id`, in which the page sends the session's id.
pub const OPENREPLAY_SESSION_ID: HeaderName = HeaderName::from_static("openreplaysession.id");

/// The header `X-OpenReplay-SessionToken`, in which the tracker sends the session's token.
///
/// The tracker sends it with the option `network: { sessionTokenHeader: true }`. Without a
/// `sanitizer`, the recording contains the token.
pub const X_OPENREPLAY_SESSIONTOKEN: HeaderName =
    HeaderName::from_static("x-openreplay-sessiontoken");

/// The header `X-OpenReplay-Session-Token`, in which the tracker sends the same token for axios
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

/// Returns the request headers that a page of another origin must be allowed to send.
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
