//! The names of a record's fields.
//!
//! OpenReplay's panel reads [`TIMESTAMP`], [`LEVEL`] and [`MESSAGE`]
//! (`frontend/app/components/Session/Player/SharedComponents/BackendLogs`). OpenReplay's
//! documentation also requires [`UTC_TIME`] and [`TAGS`]. Most other names are those of the Elastic
//! Common Schema.

/// The time of the record, in the format of the module [`time`](crate::time).
pub const TIMESTAMP: &str = "@timestamp";
/// The same time, under the name that OpenReplay's documentation uses.
pub const UTC_TIME: &str = "utc_time";
/// The [level](crate::Level), as text. A single record without a level breaks the whole panel.
pub const LEVEL: &str = "level";
/// The text that the panel shows. OpenReplay searches this field for the [phrase](crate::phrase).
pub const MESSAGE: &str = "message";
/// A list of strings, which contains [`ERROR_TAG`] if the record is an error.
pub const TAGS: &str = "tags";
/// The element of [`TAGS`] that marks an error.
pub const ERROR_TAG: &str = "error";
/// The id of the session, as text.
pub const SESSION_ID: &str = "openReplaySession.id";
/// The URL of the session's replay, which starts at the record's time.
pub const SESSION_URL: &str = "openReplaySession.url";
/// The id of the OpenTelemetry trace, in hexadecimal.
pub const TRACE_ID: &str = "trace.id";
/// The id of the OpenTelemetry span, in hexadecimal.
pub const SPAN_ID: &str = "span.id";
/// The id of the request that caused the record.
pub const REQUEST_ID: &str = "http.request.id";
/// The code that wrote the record, such as a module's path.
pub const LOGGER: &str = "log.logger";
/// The source file that wrote the record.
pub const FILE_NAME: &str = "log.origin.file.name";
/// The line in the source file.
pub const FILE_LINE: &str = "log.origin.file.line";
/// The service that wrote the record.
pub const SERVICE_NAME: &str = "service.name";
/// The version of the service.
pub const SERVICE_VERSION: &str = "service.version";
/// The environment that the service runs in, such as `production`.
pub const SERVICE_ENVIRONMENT: &str = "service.environment";
/// The host that the service runs on.
pub const HOST_NAME: &str = "host.name";
/// The id of the process.
pub const PROCESS_ID: &str = "process.pid";
/// The name of the thread.
pub const THREAD_NAME: &str = "process.thread.name";
/// The id of the thread.
pub const THREAD_ID: &str = "process.thread.id";
/// An object with the event's own fields. `openreplay-elastic setup` maps it as `flattened`, so
/// that services can use different types for the same field.
pub const FIELDS: &str = "fields";
/// A list with the names and fields of the enclosing spans, the outermost first.
pub const SPANS: &str = "spans";

/// The stream that a line was written to: `stdout` or `stderr`.
///
/// `openreplay-elastic ship` adds this field, whose name Filebeat uses as well, to a container's
/// line that is not a record.
pub const STREAM: &str = "stream";

/// All field names except [`STREAM`].
///
/// A record can have other fields. With dots read as nested objects, as Elasticsearch does, their
/// names must be neither parents nor children of these.
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
