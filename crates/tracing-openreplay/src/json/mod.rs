mod busy;
mod clock;
mod escape;
mod extra;
mod fields;
mod layer;
mod losses;
mod member;
mod members;
mod named;
mod options;
mod record;
mod scratch;
mod sink;
mod site;
mod span;
mod stdout;
#[cfg(all(tracing_unstable, feature = "valuable"))]
mod structure;
#[cfg(feature = "opentelemetry")]
pub(crate) mod trace;
mod unmarked;
mod value;

use std::{fmt, time::SystemTime};

use tracing_subscriber::fmt::{MakeWriter, TestWriter};

pub(crate) use self::span::Rendered;
use self::{
    clock::Clock,
    options::{Options, Service},
    sink::State,
};
pub use self::{losses::Losses, stdout::Stdout};
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
        make_writer: Stdout,
        options: Options::default(),
        service: Service::default(),
        state: State::default(),
    }
}

/// A layer that writes each event as one line of JSON, the record that OpenReplay shows next to the
/// replay. Returned by [`json`].
///
/// | field | value | when |
/// |---|---|---|
/// | `@timestamp`, `utc_time` | RFC 3339, UTC, microseconds | always |
/// | `level` | `error`, `warning`, `info` or `debug` | always |
/// | `message` | `[openReplaySession.id=<id>] ` in a session, then the event's message, then its fields as ` key=value` | always |
/// | `tags` | `["error"]` | for errors |
/// | `openReplaySession.id` | the session's id | in a session |
/// | `openReplaySession.url` | the address of the replay, at the record's time | in a session, [if configured](Self::with_replay_url) |
/// | `trace.id`, `span.id` | OpenTelemetry's active span, in hexadecimal | with the feature `opentelemetry`, if there is one, unless the event [names another span as its parent](#trace-ids) |
/// | `http.request.id` | the field `request_id` of the nearest span `request` | if there is one |
/// | `log.logger`, `log.origin.file.name`, `log.origin.file.line` | the event's target, file and line | unless switched off |
/// | `service.name`, `service.version`, `service.environment`, `host.name` | as configured | if configured |
/// | `process.pid`, `process.thread.name`, `process.thread.id` | the process and the thread | if configured |
/// | fields of your own | [as configured](Self::with_field) | if configured |
/// | `fields` | the event's own fields, an object | if there are any |
/// | `spans` | name and `fields` of each enclosing span, the outermost first | if there are any, unless switched off |
///
/// # The message
///
/// OpenReplay shows the message alone, so it holds the fields as well. A string that has spaces,
/// quotes or nothing in it is quoted, like a string of JSON; what `Debug` and `Display` write is
/// not. A value with line breaks and the causes of an error come on lines of their own behind it,
/// so that the first line, all that OpenReplay shows of a closed row, stays whole. An event that
/// has neither message nor fields gets its name as its message.
///
/// OpenReplay finds a session's records by a phrase in the message. Text that holds this phrase,
/// sent by a client to be found under another session, is changed: `openReplaySession.id` becomes
/// `openReplaySessi*n.id`.
///
/// # Levels
///
/// OpenReplay knows four: `ERROR` is `error`, `WARN` is `warning`, `INFO` is `info`, `DEBUG` and
/// `TRACE` are `debug`.
///
/// # Values
///
/// - Integers are numbers, those that need more than 64 bits strings; `NaN`, `inf` and `-inf` are
///   strings.
/// - An error is its text and the texts of its causes, `: ` between them. Of more than 32 causes
///   the first 24 and the last 8 are kept, with `… [18 causes left out]` for instance between them.
/// - Bytes are hexadecimal, `[00 ff]`.
/// - With the feature `valuable` and `--cfg tracing_unstable`, a value of the crate `valuable`
///   keeps its structure. One of more than 32 levels or 32,000 bytes is its `Debug` text.
/// - A key never comes twice in an object: the last value counts, of `r#type` and `type` too.
/// - A `Debug` or `Display` that panics costs its own value, not the record.
/// - A value of more than 32,000 bytes is cut in `fields` and `spans`, since Elasticsearch rejects
///   longer ones; not in `message`.
///
/// # Trace ids
///
/// `trace.id` and `span.id` are those of the span that is active where the event happens. An event
/// with an explicit parent, `info!(parent: &span, …)`, has them only if that parent is the current
/// span. With `parent: None`, and in the record of [a span that closes](Self::with_span_close),
/// they are missing. A record of a thread whose OpenTelemetry context is already destroyed has none
/// either.
///
/// # Long records
///
/// A record is no longer than its [limit](Self::with_record_limit). `fields` and `spans` may take a
/// quarter of it each, the first fields and the outermost spans that fit; the message what they
/// leave. Whatever was cut, the message ends in `… [cut]`.
///
/// # Lost records
///
/// A record is lost if the writer fails, panics, or itself logs while it writes.
/// [`losses`](Self::losses) counts the lost records. The first one is reported on standard error at
/// once, with the reason; from then on a thread reports the number of further ones every ten
/// seconds, until none are lost any more. No log call fails or panics because of a loss. After a
/// failure the next record begins with a line break, so that it never ends half a line: at worst
/// one line is empty.
///
/// A non-blocking standard output is waited for, see [`Stdout`]. Any other writer that fails with
/// `WouldBlock` has failed.
pub struct Json<W = Stdout> {
    make_writer: W,
    options: Options,
    service: Service,
    state: State,
}

impl<W> Json<W> {
    /// Sets the writer of the records. Each record is written in one piece, line break included.
    /// Default: [`Stdout`].
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
            state: self.state,
        }
    }

    /// Writes to the output that the test harness captures, as [`TestWriter`] does.
    pub fn with_test_writer(self) -> Json<TestWriter> {
        self.with_writer(TestWriter::new())
    }

    /// Returns a handle that counts the records which could not be written.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.state.losses.handle()
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

    /// Adds a field with the same text to each record, `deployment.region` for instance. Default:
    /// none.
    ///
    /// ```
    /// # use tracing_openreplay::json;
    /// let layer = json().with_field("deployment.region", "eu");
    /// ```
    ///
    /// A later call with the same name replaces the text. To search for the field in Elasticsearch,
    /// add it to the mapping.
    ///
    /// # Panics
    ///
    /// If a record has [a field](Self) of this name, or above or below it in Elasticsearch, where a
    /// dot leads into an object: `log` and `service.name.short` are taken as well. If an earlier
    /// call set a field above or below this name: `region.name` after `region`. If the name, or
    /// what is between two dots, is empty.
    #[must_use]
    pub fn with_field(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with_service(|service| service.set(name.into(), value.into()))
    }

    /// Sets whether `process.pid` is written. Default: no.
    ///
    /// After a fork, records of the child have the child's id.
    #[must_use]
    pub fn with_process_id(mut self, process_id: bool) -> Self {
        self.options.extra.process_id = process_id;
        self
    }

    /// Sets whether the name of the thread is written, as `process.thread.name`. Default: no.
    ///
    /// A name of more than 256 bytes is cut.
    #[must_use]
    pub fn with_thread_name(mut self, thread_name: bool) -> Self {
        self.options.extra.thread_name = thread_name;
        self
    }

    /// Sets whether the number of the thread is written, as `process.thread.id`. Default: no.
    ///
    /// The number is Rust's [`ThreadId`](std::thread::ThreadId), not the operating system's.
    #[must_use]
    pub fn with_thread_id(mut self, thread_id: bool) -> Self {
        self.options.extra.thread_id = thread_id;
        self
    }

    /// Writes the address of the session's replay, at the time of the record, as
    /// `openReplaySession.url`. Default: no address.
    ///
    /// `project` is the address of the project in OpenReplay, with the project's id:
    ///
    /// ```
    /// # use tracing_openreplay::json;
    /// let layer = json().with_replay_url("https://openreplay.example.com/1234");
    /// ```
    ///
    /// The address is `https://openreplay.example.com/1234/session/<id>?jumpto=<ms>`, as that of
    /// the tracker's `getSessionURL({ withCurrentTime: true })`. OpenReplay's ids contain the time
    /// when the session started, so the milliseconds are the record's time minus that one. They are
    /// left out if they are negative or more than 24 hours. Ids that are not numbers are unknown to
    /// OpenReplay and have no address.
    #[must_use]
    pub fn with_replay_url(mut self, project: impl AsRef<str>) -> Self {
        self.options.extra.set_project(project.as_ref());
        self.with_service(|_| ())
    }

    /// Sets whether the event's target is written, as `log.logger`. Default: yes.
    #[must_use]
    pub fn with_target(mut self, target: bool) -> Self {
        self.options.target = target;
        self
    }

    /// Sets whether the event's place in the source is written, as `log.origin.file.name` and
    /// `log.origin.file.line`. Default: yes.
    #[must_use]
    pub fn with_source_location(mut self, source_location: bool) -> Self {
        self.options.source_location = source_location;
        self
    }

    /// Sets whether the spans around the event are written. Default: yes.
    ///
    /// Without them a record still finds its session by its spans.
    #[must_use]
    pub fn with_spans(mut self, spans: bool) -> Self {
        self.options.spans = spans;
        self
    }

    /// Sets whether the event's fields are part of its message too, which is all that OpenReplay
    /// shows. Default: yes.
    ///
    /// The fields of an event without a message are its message in any case.
    #[must_use]
    pub fn with_fields_in_message(mut self, fields_in_message: bool) -> Self {
        self.options.fields_in_message = fields_in_message;
        self
    }

    /// Sets whether the spans around the event are part of its message too, which is all that
    /// OpenReplay shows. Default: no.
    ///
    /// Each span has a line of its own at the end, the innermost first: `in request method=GET
    /// path=/cart`.
    #[must_use]
    pub fn with_span_fields_in_message(mut self, span_fields_in_message: bool) -> Self {
        self.options.span_fields_in_message = span_fields_in_message;
        self
    }

    /// Sets whether a record is written when a span closes. Default: no.
    ///
    /// Its message is `request closed` with the span's name, its level and place are the span's,
    /// and its fields are `busy_ms`, the milliseconds during which the span was entered, and
    /// `idle_ms`, the others. It belongs to the session in which the span was created, wherever the
    /// span is closed.
    ///
    /// The record is written if the filters accept the span. Filters that judge each event, such as
    /// [`SessionOnly`](crate::SessionOnly), do not see the record, so it is written outside of a
    /// session as well. The record has no `trace.id` and no `span.id`.
    #[must_use]
    pub fn with_span_close(mut self, span_close: bool) -> Self {
        self.options.span_close = span_close;
        self
    }

    /// Sets the most bytes that a record may have, see [above](Self#long-records). Default:
    /// 256 KiB.
    ///
    /// A lower limit than 8 KiB counts as 8 KiB. The length of what is configured is added to these
    /// 8 KiB: the fields of the service and the host, those of [`with_field`](Self::with_field),
    /// and the address of [`with_replay_url`](Self::with_replay_url), each as it is in the record.
    #[must_use]
    pub fn with_record_limit(mut self, bytes: usize) -> Self {
        self.options.wanted_limit = bytes;
        self.with_service(|_| ())
    }

    /// Sets the clock. Default: [`SystemTime::now`].
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
        let project = self.options.extra.replays.as_deref().map_or(0, <[u8]>::len);
        self.options.record_limit = (self.options.wanted_limit)
            .max(MIN_RECORD_LIMIT + self.options.constant.len() + project);
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
