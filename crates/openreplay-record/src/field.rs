//! The names of a record's fields.
//!
//! OpenReplay's panel reads [`TIMESTAMP`], [`LEVEL`] and [`MESSAGE`]
//! (`frontend/app/components/Session/Player/SharedComponents/BackendLogs`); its documentation adds
//! [`UTC_TIME`] and [`TAGS`]. The others are names of the Elastic Common Schema, or ours.

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
/// The address of the session's replay, at the record's time.
pub const SESSION_URL: &str = "openReplaySession.url";
/// The OpenTelemetry trace, in hexadecimal.
pub const TRACE_ID: &str = "trace.id";
/// The OpenTelemetry span, in hexadecimal.
pub const SPAN_ID: &str = "span.id";
/// The id of the request that caused the record.
pub const REQUEST_ID: &str = "http.request.id";
/// The code that logs: a module's path, for instance.
pub const LOGGER: &str = "log.logger";
/// The source file that logs.
pub const FILE_NAME: &str = "log.origin.file.name";
/// The line in that file.
pub const FILE_LINE: &str = "log.origin.file.line";
/// The service that logs.
pub const SERVICE_NAME: &str = "service.name";
/// The version of the service.
pub const SERVICE_VERSION: &str = "service.version";
/// Where the service runs: `production`, for instance.
pub const SERVICE_ENVIRONMENT: &str = "service.environment";
/// The host that the service runs on.
pub const HOST_NAME: &str = "host.name";
/// The number of the process.
pub const PROCESS_ID: &str = "process.pid";
/// The name of the thread.
pub const THREAD_NAME: &str = "process.thread.name";
/// The number of the thread.
pub const THREAD_ID: &str = "process.thread.id";
/// The event's own fields, an object. `openreplay-elastic setup` maps it `flattened`, so that no
/// two services can disagree on a type.
pub const FIELDS: &str = "fields";
/// The names and fields of the spans around the event, a list with the root first.
pub const SPANS: &str = "spans";

/// The stream that a line was written to, `stdout` or `stderr`: what `openreplay-elastic ship` adds
/// to a line of a container that is no record. Filebeat uses the same name, and any record may.
pub const STREAM: &str = "stream";

/// All of these names but [`STREAM`]. A record can have further fields, under names that are
/// neither above nor below one of them.
pub const ALL: [&str; 22] = [
    TIMESTAMP,
    UTC_TIME,
    LEVEL,
    MESSAGE,
    TAGS,
    SESSION_ID,
    SESSION_URL,
    TRACE_ID,
    SPAN_ID,
    REQUEST_ID,
    LOGGER,
    FILE_NAME,
    FILE_LINE,
    SERVICE_NAME,
    SERVICE_VERSION,
    SERVICE_ENVIRONMENT,
    HOST_NAME,
    PROCESS_ID,
    THREAD_NAME,
    THREAD_ID,
    FIELDS,
    SPANS,
];
