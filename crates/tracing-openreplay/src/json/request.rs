//! The span of a request, as tower-openreplay's `RequestLogLayer` creates it.

const NAME: &str = "request";

/// The field of the span that contains the id of the request.
pub(super) const ID: &str = "request_id";
pub(super) const QUOTED_ID: &[u8] = br#""request_id""#;

/// The maximum escaped length of the id in bytes.
pub(super) const ID_LIMIT: usize = 256;

/// Returns whether this is the name of the span, which is rendered even if a layer does not write
/// spans.
pub(super) fn is_request(name: &str) -> bool {
    name == NAME
}
