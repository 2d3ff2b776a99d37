mod busy;
mod clock;
mod escape;
mod fields;
mod layer;
mod members;
mod options;
mod record;
mod scratch;
mod sink;
mod site;
mod span;
mod time;
mod unmarked;
mod value;

use std::{fmt, io, time::SystemTime};

use tracing_subscriber::fmt::MakeWriter;

use self::{
    clock::Clock,
    options::{Options, Service},
    sink::Losses,
};
use crate::panics;

/// What a text ends with that was too long.
const CUT: &str = "… [cut]";

/// Below this there would be no room for the parts of a record that are always there.
const MIN_RECORD_LIMIT: usize = 8 * 1024;

/// A layer that writes each event as one line of JSON, on standard output unless told otherwise.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(tracing_openreplay::json().with_service_name("shop"))
///     .init();
///
/// tracing::info!(user = "anna", "Endpoint accessed");
/// ```
///
/// See [`Json`] for the record and for the options.
#[must_use]
pub fn json() -> Json {
    panics::expect_records();
    Json {
        make_writer: io::stdout,
        options: Options::default(),
        service: Service::default(),
        losses: Losses::default(),
    }
}

/// A layer that writes each event as one line of JSON, the record that OpenReplay shows beside the replay. Made by [`json`].
///
/// | field | value | when |
/// |---|---|---|
/// | `@timestamp`, `utc_time` | RFC 3339, UTC, microseconds | always |
/// | `level` | `error`, `warning`, `info` or `debug` | always |
/// | `message` | `[openReplaySession.id=<id>] ` in a session, then the event's message, then its fields as ` key=value` | always |
/// | `tags` | `["error"]` | for errors |
/// | `openReplaySession.id` | the id | in a session |
/// | `log.logger`, `log.origin.file.name`, `log.origin.file.line` | target, file, line | unless switched off |
/// | `service.name`, `service.version`, `service.environment`, `host.name`, `process.pid` | as configured | if configured |
/// | `fields` | the event's own fields | if it has any |
/// | `spans` | name and `fields` of the spans around it, the outermost first | if there are any |
///
/// # The message
///
/// OpenReplay shows the message alone, so it holds the fields as well. A string that has spaces, quotes or nothing in it
/// is quoted, like a string of JSON; what `Debug` and `Display` write is not. A value with line breaks and the causes of an
/// error come on lines of their own behind it, so that the first line, all that OpenReplay shows of a closed row, stays whole.
/// An event that has neither message nor fields gets its name as its message.
///
/// OpenReplay finds a session's records by a phrase in the message. Text that holds this phrase, sent by a client to be found
/// under another session, is changed: `openReplaySession.id` becomes `openReplaySessi*n.id`.
///
/// # Levels
///
/// OpenReplay knows four: `ERROR` is `error`, `WARN` is `warning`, `INFO` is `info`, `DEBUG` and `TRACE` are `debug`.
///
/// # Values
///
/// - Integers are numbers, those that need more than 64 bits strings; `NaN`, `inf` and `-inf` are strings.
/// - An error is its text and the texts of its causes, `: ` between them. Of more than 32 causes the first 24 and the last 8
///   are kept, with `… [18 causes left out]` for instance between them.
/// - Bytes are hexadecimal, `[00 ff]`.
/// - A key never comes twice in an object: the last value counts, of `r#type` and `type` too.
/// - A `Debug` or `Display` that panics costs its own value, not the record.
/// - A value of more than 32,000 bytes is cut in `fields` and `spans`, since Elasticsearch refuses more; not in `message`.
///
/// # Long records
///
/// A record is no longer than its [limit](Self::with_record_limit). `fields` and `spans` may take a quarter of it each, the first
/// fields and the outermost spans that fit; the message what they leave. Whatever was cut, the message ends in `… [cut]`.
///
/// # What the writer does not take
///
/// It is counted, and reported on standard error: for each reason at most once in ten seconds. The reasons are that the writer fails,
/// that it panics, and that it logs while it writes. No log call fails or panics for it. After a failure the next record begins
/// with a line break, so that it never ends a half line: at worst one line is empty.
pub struct Json<W = fn() -> io::Stdout> {
    make_writer: W,
    options: Options,
    service: Service,
    losses: Losses,
}

impl<W> Json<W> {
    /// Where the records go: each is handed over in one piece, line break included. Default: standard output.
    ///
    /// ```
    /// # use tracing_openreplay::json;
    /// let layer = json().with_writer(std::io::stderr);
    /// ```
    pub fn with_writer<W2>(self, make_writer: W2) -> Json<W2>
    where
        W2: for<'writer> MakeWriter<'writer> + 'static,
    {
        Json {
            make_writer,
            options: self.options,
            service: self.service,
            losses: self.losses,
        }
    }

    /// Sets `service.name`. Default: none.
    #[must_use]
    pub fn with_service_name(self, name: impl Into<String>) -> Self {
        self.with_service(|service| service.name = Some(name.into()))
    }

    /// Sets `service.version`. Default: none.
    ///
    /// ```
    /// # use tracing_openreplay::json;
    /// let layer = json().with_service_version(env!("CARGO_PKG_VERSION"));
    /// ```
    #[must_use]
    pub fn with_service_version(self, version: impl Into<String>) -> Self {
        self.with_service(|service| service.version = Some(version.into()))
    }

    /// Sets `service.environment`, `production` for instance. Default: none.
    #[must_use]
    pub fn with_service_environment(self, environment: impl Into<String>) -> Self {
        self.with_service(|service| service.environment = Some(environment.into()))
    }

    /// Sets `host.name`. Default: none.
    #[must_use]
    pub fn with_host_name(self, name: impl Into<String>) -> Self {
        self.with_service(|service| service.host_name = Some(name.into()))
    }

    /// Whether `process.pid` is written. Default: no.
    #[must_use]
    pub fn with_process_id(self, process_id: bool) -> Self {
        self.with_service(|service| service.process_id = process_id)
    }

    /// Whether the event's target is written, as `log.logger`. Default: yes.
    #[must_use]
    pub fn with_target(mut self, target: bool) -> Self {
        self.options.target = target;
        self
    }

    /// Whether the event's place in the source is written, as `log.origin.file.name` and `log.origin.file.line`. Default: yes.
    #[must_use]
    pub fn with_source_location(mut self, source_location: bool) -> Self {
        self.options.source_location = source_location;
        self
    }

    /// Whether the spans around the event are written. Default: yes.
    ///
    /// Without them a record still finds its session by its spans.
    #[must_use]
    pub fn with_spans(mut self, spans: bool) -> Self {
        self.options.spans = spans;
        self
    }

    /// Whether the event's fields are part of its message too, which is all that OpenReplay shows. Default: yes.
    ///
    /// The fields of an event without a message are its message in any case.
    #[must_use]
    pub fn with_fields_in_message(mut self, fields_in_message: bool) -> Self {
        self.options.fields_in_message = fields_in_message;
        self
    }

    /// The most bytes that a record may have, see [above](Self#long-records). Default: 256 KiB. At least 8 KiB beside what
    /// is said of the service and the host.
    #[must_use]
    pub fn with_record_limit(mut self, bytes: usize) -> Self {
        self.options.wanted_limit = bytes;
        self.with_service(|_| ())
    }

    /// What tells the time. Default: [`SystemTime::now`].
    ///
    /// ```
    /// # use std::time::UNIX_EPOCH;
    /// # use tracing_openreplay::json;
    /// let layer = json().with_clock(|| UNIX_EPOCH);
    /// ```
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.options.clock = Some(Clock::new(clock));
        self
    }

    fn with_service(mut self, change: impl FnOnce(&mut Service)) -> Self {
        change(&mut self.service);
        self.options.constant = self.service.render();
        self.options.record_limit =
            (self.options.wanted_limit).max(MIN_RECORD_LIMIT + self.options.constant.len());
        self
    }
}

impl<W: fmt::Debug> fmt::Debug for Json<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json")
            .field("make_writer", &self.make_writer)
            .field("options", &self.options)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
