//! The names of a record's fields.
//!
//! OpenReplay's panel reads [`TIMESTAMP`], [`LEVEL`] and [`MESSAGE`] (`frontend/app/components/Session/Player/SharedComponents/BackendLogs`);
//! its documentation adds [`UTC_TIME`] and [`TAGS`]. The others are names of the Elastic Common Schema, or ours.

/// The time, in the form that [`time`](crate::time) gives it.
pub const TIMESTAMP: &str = "@timestamp";
/// The same time once more, under the name that OpenReplay's documentation gives it.
pub const UTC_TIME: &str = "utc_time";
/// The [level](crate::Level), as text. One record without a level breaks the whole panel.
pub const LEVEL: &str = "level";
/// The text of the row. OpenReplay searches this field for the [phrase](crate::phrase).
pub const MESSAGE: &str = "message";
/// A list of texts; contains [`ERROR_TAG`] in the record of an error.
pub const TAGS: &str = "tags";
/// The element of [`TAGS`] that marks an error.
pub const ERROR_TAG: &str = "error";
/// The id of the session, as text.
pub const SESSION_ID: &str = "openReplaySession.id";
/// The code that logs: a module's path, for instance.
pub const LOGGER: &str = "log.logger";
/// The service that logs.
pub const SERVICE_NAME: &str = "service.name";
/// The address of the session's replay, at the record's time.
pub const SESSION_URL: &str = "openReplaySession.url";
/// The id of the request that caused the record.
pub const REQUEST_ID: &str = "http.request.id";
/// The OpenTelemetry trace, in hexadecimal.
pub const TRACE_ID: &str = "trace.id";
/// The OpenTelemetry span, in hexadecimal.
pub const SPAN_ID: &str = "span.id";
