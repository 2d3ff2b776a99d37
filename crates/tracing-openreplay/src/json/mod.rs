mod busy;
mod clock;
mod escape;
mod extra;
mod fields;
mod key;
mod layer;
mod losses;
mod member;
mod members;
mod named;
mod options;
mod record;
pub(crate) mod rendered;
mod request;
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

use self::{
    clock::Clock,
    options::{Options, Service},
    sink::State,
};
pub use self::{losses::Losses, stdout::Stdout};
use crate::panic_stage;

/// The minimum length of a record, which leaves room for the parts that are always present.
const MIN_RECORD_LIMIT: usize = 8 * 1024;

/// Creates a layer that writes each event as one line of JSON to standard output.
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
/// See [`Json`] for the format of the record and for the options.
#[must_use]
pub fn json() -> Json {
    panic_stage::expect_records();
    Json {
        make_writer: Stdout,
        options: Options::default(),
        service: Service::default(),
        state: State::default(),
    }
}

/// A layer that writes each event as one line of JSON, in the form that OpenReplay reads.
///
/// Created by [`json`].
///
/// | field | value | when |
/// |---|---|---|
/// | `@timestamp`, `utc_time` | RFC 3339, UTC, microseconds | always |
/// | `level` | `error`, `warning`, `info` or `debug` | always |
/// | `message` | `[openReplaySession.id=<id>] ` in a session, then the event's message, then its fields as ` key=value` | always |
/// | `tags` | `["error"]` | for errors |
/// | `openReplaySession.id` | the session's id | in a session |
/// | `openReplaySession.url` | the URL of the replay, at the record's time | in a session, [if configured](Self::with_replay_url) |
/// | `trace.id`, `span.id` | OpenTelemetry's active span, in hexadecimal | with the feature `opentelemetry`, if there is one, unless the event [names another span as its parent](#trace-ids) |
/// | `http.request.id` | the field `request_id` of the nearest span `request` | if there is one |
/// | `log.logger`, `log.origin.file.name`, `log.origin.file.line` | the event's target, file and line | unless switched off |
/// | `service.name`, `service.version`, `service.environment`, `host.name` | as configured | if configured |
/// | `process.pid`, `process.thread.name`, `process.thread.id` | the process and the thread | if configured |
/// | constant fields | [as configured](Self::with_field) | if configured |
/// | `fields` | the event's own fields, an object | if there are any |
/// | `spans` | name and `fields` of each enclosing span, the outermost first | if there are any, unless switched off |
///
/// # The message
///
/// OpenReplay only shows the message, so the message also contains the fields. A string that is
/// empty or contains spaces or quotes is quoted, like a string in JSON. The output of `Debug` and
/// `Display` is not quoted. Values with line breaks and the causes of an error follow on separate
/// lines, so that the first line, which is all that OpenReplay shows of a collapsed row, is
/// complete. If an event has neither a message nor fields, its name is the message.
///
/// OpenReplay finds the records of a session by a phrase in the message. So that a client cannot
/// send this phrase to put a record into another session, `openReplaySession.id` in the text of a
/// message is written as `openReplaySessi*n.id`. OpenReplay does not search `fields` and `spans`,
/// which keep the phrase.
///
/// # Levels
///
/// OpenReplay has four levels: `ERROR` is written as `error`, `WARN` as `warning`, `INFO` as
/// `info`, `DEBUG` and `TRACE` as `debug`.
///
/// # Values
///
/// - Integers are written as numbers or, if they do not fit into 64 bits, as strings. `NaN`, `inf`
///   and `-inf` are strings.
/// - An error is written as its text and the texts of its causes, separated by `: `. If it has more
///   than 32 causes, the first 24 and the last 8 are kept, with a note such as
///   `… [18 causes left out]` in between.
/// - Bytes are written in hexadecimal: `[00 ff]`.
/// - With the feature `valuable` and `--cfg tracing_unstable`, values of the crate `valuable` keep
///   their structure. A value with more than 32 levels or 32,000 bytes is written as its `Debug`
///   output.
/// - The keys of an object are unique. If a key is repeated, or `r#type` and `type` both occur, the
///   last value is kept.
/// - If the `Debug` or `Display` implementation of a value panics, only this value is lost.
/// - In `fields` and `spans`, a value of more than 32,000 bytes is cut, since Elasticsearch rejects
///   longer values. In `message` it is not.
///
/// # Trace ids
///
/// `trace.id` and `span.id` are those of the active span. For an event with an explicit parent,
/// `info!(parent: &span, …)`, they are only written if that parent is the current span. They are
/// not written with `parent: None`, in the record of [a span that closes](Self::with_span_close),
/// or if the thread's OpenTelemetry context has already been destroyed.
///
/// # Long records
///
/// A record is at most as long as its [limit](Self::with_record_limit). `fields` and `spans` may
/// each use a quarter of it, and contain the first fields and the outermost spans that fit. The
/// message uses the remaining space. If anything was cut, the message ends with `… [cut]`.
///
/// # Lost records
///
/// A record is lost if the writer fails, panics, or logs while it writes. Log calls never fail or
/// panic because of a loss. [`losses`](Self::losses) returns the number of lost records. The first
/// loss is reported on standard error at once, with the reason. A thread then reports the number of
/// further losses every ten seconds, until there are none.
///
/// After a failure, the next record begins with a line break, so that it is not appended to an
/// incomplete line. At worst, this adds an empty line.
///
/// If standard output is non-blocking, the layer waits for it, see [`Stdout`]. For any other
/// writer, `WouldBlock` is a failure.
pub struct Json<W = Stdout> {
    make_writer: W,
    options: Options,
    service: Service,
    state: State,
}

impl<W> Json<W> {
    /// Sets the writer of the records. Default: [`Stdout`].
    ///
    /// Each record is written with a single call, including the line break.
    ///
    /// ```
    /// # use tracing_openreplay::json;
    /// let layer = json().with_writer(std::io::stderr);
    /// ```
    #[must_use]
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

    /// Writes to the output that the test harness captures, with [`TestWriter`].
    #[must_use]
    pub fn with_test_writer(self) -> Json<TestWriter> {
        self.with_writer(TestWriter::new())
    }

    /// Returns a handle to the number of records that could not be written.
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

    /// Sets `service.environment`, for instance to `production`. Default: none.
    #[must_use]
    pub fn with_service_environment(self, environment: impl Into<String>) -> Self {
        self.with_service(|service| service.environment = Some(environment.into()))
    }

    /// Sets `host.name`. Default: none.
    #[must_use]
    pub fn with_host_name(self, name: impl Into<String>) -> Self {
        self.with_service(|service| service.host_name = Some(name.into()))
    }

    /// Adds a constant field, such as `deployment.region`, to each record. Default: none.
    ///
    /// ```
    /// # use tracing_openreplay::json;
    /// let layer = json().with_field("deployment.region", "eu");
    /// ```
    ///
    /// A later call with the same name replaces the value. To search for the field in
    /// Elasticsearch, add it to the mapping.
    ///
    /// # Panics
    ///
    /// Panics if
    ///
    /// - the name, or a part of the name between dots, is empty;
    /// - records have [a field](Self) of this name;
    /// - the name is a parent or a child of a record's field or of another constant field, since a
    ///   dot denotes a nested object in Elasticsearch. For instance, `log`, `service.name.short`,
    ///   and `region.name` after `region` panic.
    #[must_use]
    pub fn with_field(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with_service(|service| service.set(name.into(), value.into()))
    }

    /// Sets whether `process.pid` is written. Default: no.
    ///
    /// After a fork, the records of the child have the child's id.
    #[must_use]
    pub fn with_process_id(mut self, process_id: bool) -> Self {
        self.options.extra.process_id = process_id;
        self
    }

    /// Sets whether the name of the thread is written, as `process.thread.name`. Default: no.
    ///
    /// Names are cut after 256 bytes.
    #[must_use]
    pub fn with_thread_name(mut self, thread_name: bool) -> Self {
        self.options.extra.thread_name = thread_name;
        self
    }

    /// Sets whether the id of the thread is written, as `process.thread.id`. Default: no.
    ///
    /// This is Rust's [`ThreadId`](std::thread::ThreadId), not the operating system's id.
    #[must_use]
    pub fn with_thread_id(mut self, thread_id: bool) -> Self {
        self.options.extra.thread_id = thread_id;
        self
    }

    /// Writes the URL of the session's replay as `openReplaySession.url`. Default: no URL.
    ///
    /// `project` is the URL of the project in OpenReplay, including the project's id:
    ///
    /// ```
    /// # use tracing_openreplay::json;
    /// let layer = json().with_replay_url("https://openreplay.example.com/1234");
    /// ```
    ///
    /// The URL has the same form as that of the tracker's `getSessionURL({ withCurrentTime: true
    /// })`: `https://openreplay.example.com/1234/session/<id>?jumpto=<ms>`. The milliseconds are
    /// the time from the start of the session, which its id contains, to the record. They are
    /// omitted if they are negative or exceed 24 hours. If the id is not a number, the session is
    /// unknown to OpenReplay and no URL is written.
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

    /// Sets whether the event's source location is written, as `log.origin.file.name` and
    /// `log.origin.file.line`. Default: yes.
    #[must_use]
    pub fn with_source_location(mut self, source_location: bool) -> Self {
        self.options.source_location = source_location;
        self
    }

    /// Sets whether the enclosing spans are written, as `spans`. Default: yes.
    ///
    /// If they are not written, they still provide the session of the record.
    #[must_use]
    pub fn with_spans(mut self, spans: bool) -> Self {
        self.options.spans = spans;
        self
    }

    /// Sets whether the message contains the event's fields. Default: yes.
    ///
    /// OpenReplay only shows the message. If an event has no message, its fields are always the
    /// message.
    #[must_use]
    pub fn with_fields_in_message(mut self, fields_in_message: bool) -> Self {
        self.options.fields_in_message = fields_in_message;
        self
    }

    /// Sets whether the message contains the enclosing spans and their fields. Default: no.
    ///
    /// OpenReplay only shows the message. Each span is written on a separate line at the end, the
    /// innermost first: `in request method=GET path=/cart`.
    #[must_use]
    pub fn with_span_fields_in_message(mut self, span_fields_in_message: bool) -> Self {
        self.options.span_fields_in_message = span_fields_in_message;
        self
    }

    /// Sets whether a record is written when a span closes. Default: no.
    ///
    /// The record belongs to the session in which the span was created, whichever task closes the
    /// span. Its message is the name of the span and `closed`, such as `request closed`. Its level
    /// and source location are those of the span. Its fields are `busy_ms`, the milliseconds during
    /// which the span was entered, and `idle_ms`, the remaining milliseconds. It has no `trace.id`
    /// and no `span.id`.
    ///
    /// The record is written if the filters accept the span. Filters that decide for each event,
    /// such as [`SessionOnly`](crate::SessionOnly), do not see the record, so it is also written
    /// outside a session.
    #[must_use]
    pub fn with_span_close(mut self, span_close: bool) -> Self {
        self.options.span_close = span_close;
        self
    }

    /// Sets the maximum length of a record in bytes, see [long records](Self#long-records).
    ///
    /// Default: 256 KiB. Minimum: 8 KiB, plus the length of the constant parts: the fields of the
    /// service and the host, those of [`with_field`](Self::with_field), and the URL of
    /// [`with_replay_url`](Self::with_replay_url). A lower limit is raised to the minimum.
    #[must_use]
    pub fn with_record_limit(mut self, bytes: usize) -> Self {
        self.options.wanted_limit = bytes;
        self.with_service(|_| ())
    }

    /// Sets the clock for the time of records. Default: [`SystemTime::now`].
    ///
    /// Records of panics have the time of the default, since a clock that panics while a panic is
    /// logged would abort the process.
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
        let project = self.options.extra.project_len();
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
