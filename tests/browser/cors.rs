use axum::http::{HeaderValue, Method, header::CONTENT_TYPE};
use tower_http::cors::CorsLayer;

/// Allows pages of this origin to send requests with a session and JSON.
pub(crate) fn cors(origin: HeaderValue) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([&tower_openreplay::header_names()[..], &[CONTENT_TYPE]].concat())
        .allow_credentials(true)
}
