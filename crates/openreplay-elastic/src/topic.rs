//! The topics that this crate reports to the operator, in addition to the losses of the buffer.

use openreplay_buffer::Topic;

/// Elasticsearch is unreachable or busy.
pub(crate) const UNREACHABLE: Topic = Topic::new("Elasticsearch is unreachable");
/// The credentials are not sufficient.
pub(crate) const CREDENTIALS: Topic = Topic::new("the credentials are not sufficient");
/// The credentials are sent in clear text.
pub(crate) const CLEAR_TEXT: Topic = Topic::new("credentials in clear text");
/// The alias is missing.
pub(crate) const MISSING: Topic = Topic::new("the alias is missing");
/// A response is not a valid Elasticsearch response.
pub(crate) const RESPONSE: Topic = Topic::new("an unexpected response");
/// The indices behind the alias cannot be written to directly.
pub(crate) const ALIAS_ONLY: Topic = Topic::new("the alias can be written to, its indices cannot");
/// A record is sent with its fixed fields only.
pub(crate) const REDUCED: Topic = Topic::new("a record was reduced");
/// A record was rejected.
pub(crate) const REJECTED: Topic = Topic::new("a record was rejected");
/// A bug in this crate.
pub(crate) const DEFECT: Topic = Topic::new("a defect");
