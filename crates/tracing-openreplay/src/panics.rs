//! Writes a record for each panic.

use std::{
    any::Any,
    backtrace::Backtrace,
    borrow::Cow,
    cell::Cell,
    env, fmt,
    panic::{self, PanicHookInfo},
    sync::{Mutex, PoisonError},
    thread,
};

use tracing_core::{dispatcher, subscriber::NoSubscriber};
use tracing_log::log::{Level, Record};

#[cfg(feature = "opentelemetry")]
use crate::json::trace;
use crate::{
    panic_stage::{self, Hook},
    span_lock, stderr,
};

/// Sets a panic hook that writes one error record per panic, in the session of the code that
/// panicked.
///
/// Call this after the subscriber is set. The previous hook still runs, so panics are also printed
/// to standard error. If another library sets its own hook later, as `color_eyre::install()` does,
/// call this function again. Each panic has exactly one record, even if the function is called
/// several times or another hook calls this one. If the thread is panicking, the function does
/// nothing.
///
/// The record has the target `panic` and the message `panicked at src/cart.rs:12:5: …`. It is
/// dispatched like a record of the crate `log`, so it reaches every layer, and layers that support
/// `log` records also show the file and line of the panic.
///
/// ```
/// tracing_openreplay::log_panics();
/// ```
///
/// # Filters
///
/// A filter that lists targets without a default level, such as
/// `RUST_LOG=shop=debug,tower_http=warn`, rejects the target `panic`. If no layer accepts the
/// record, it is dispatched again with the crate name of the running program as its target, for
/// instance `shop`. If no layer accepts that record either, a line on standard error reports that
/// the panic has no record.
///
/// A layer accepts the record if it formats the message. If another layer accepts the record, but
/// neither [`json()`](crate::json()) nor a layer with
/// [`with_session()`](crate::LayerExt::with_session) does, the record is not dispatched again,
/// since the other layer would write it twice. If the panic happened in a session, a line on
/// standard error then reports that OpenReplay does not show the panic. To avoid this, add
/// `panic=error` to the filters or use [`log_panics_as`].
///
/// # Aborts
///
/// A panic inside a panic hook aborts the process, even within `catch_unwind`. Since the hook runs
/// the layers, a layer or a writer that panics while it handles the record aborts the process.
/// `json()` aborts the process in two cases only:
///
/// - Its writer panics for the first time, while it writes the record of a panic. Once the writer
///   has panicked, `json()` no longer passes records of panics to this writer, and counts them as
///   lost.
/// - With the feature `opentelemetry`, the code that panicked was called while OpenTelemetry was
///   changing the thread's current context, for instance by another layer that handles
///   OpenTelemetry's own warnings.
///
/// Other layers abort the process if their writer panics. If a layer calls your code while it holds
/// a lock, and acquires the same lock again for the record of the panic, it aborts the process or
/// blocks the thread.
///
/// # Values that panic in a span
///
/// Some layers, such as `tracing_subscriber::fmt`, hold the lock of a span's data while they format
/// a value that is added with `Span::record`. If such a value panics, no layer can read the span,
/// and a line on standard error replaces the record of the panic. To detect this, the hook starts a
/// thread for each panic in a span. The thread reads the span; the hook waits at most five seconds
/// for it.
///
/// After such a panic, the lock is poisoned, also for later spans that reuse the memory of the
/// span. For [`json()`](crate::json()) and [`with_session()`](crate::LayerExt::with_session), these
/// spans have no fields and no session. Other layers may panic when they read the spans.
///
/// # Trace ids
///
/// With the feature `opentelemetry`, the record of a panic has `trace.id` and `span.id` if `json()`
/// has handled a record or entered a span on this thread before. Otherwise, reading the ids might
/// panic, since the thread may be ending.
pub fn log_panics() {
    PanicLog::new().install();
}

/// Like [`log_panics`], but with another target, which the filters should accept.
///
/// ```
/// tracing_openreplay::log_panics_as(env!("CARGO_CRATE_NAME"));
/// ```
///
/// If this is called several times, the last target is used.
pub fn log_panics_as(target: impl Into<Cow<'static, str>>) {
    PanicLog::new().with_target(target).install();
}

/// Options for [`log_panics()`].
///
/// ```
/// tracing_openreplay::PanicLog::new()
///     .with_backtrace(true)
///     .install();
/// ```
#[derive(Clone, Debug)]
#[must_use = "`install` sets the hook"]
pub struct PanicLog {
    target: Cow<'static, str>,
    backtrace: bool,
}

impl Default for PanicLog {
    fn default() -> Self {
        Self::new()
    }
}

impl PanicLog {
    /// Creates the default options, which [`log_panics()`] uses.
    pub fn new() -> Self {
        Self {
            target: "panic".into(),
            backtrace: false,
        }
    }

    /// Sets the target of the records, which the filters should accept. Default: `panic`.
    pub fn with_target(mut self, target: impl Into<Cow<'static, str>>) -> Self {
        self.target = target.into();
        self
    }

    /// Sets whether a backtrace is appended to the message, on separate lines. Default: no.
    ///
    /// `RUST_BACKTRACE` has no effect on this option. The names and lines of functions are only
    /// available if the program has debug information. Reading this information takes some
    /// milliseconds at the first panic of a process.
    pub fn with_backtrace(mut self, backtrace: bool) -> Self {
        self.backtrace = backtrace;
        self
    }

    /// Sets the panic hook, like [`log_panics()`].
    ///
    /// If this is called several times, the last options are used.
    pub fn install(self) {
        install(self);
    }
}

fn install(options: PanicLog) {
    /// Serialises installations, because between `take_hook` and `set_hook` another call would miss
    /// the previous hook.
    static INSTALLING: Mutex<()> = Mutex::new(());

    // Changing the hook on a panicking thread would panic again.
    if thread::panicking() {
        return;
    }
    let targets = [Some(options.target), program().map(Cow::from)];
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        #[cfg(feature = "opentelemetry")]
        if trace::is_reading() {
            // `json()` catches this panic.
            return;
        }
        if span_lock::is_locking() {
            return;
        }
        let hook = Hook::begin();
        if let Some(hook) = &hook {
            let backtrace = options.backtrace.then(Backtrace::force_capture);
            log(hook, info, backtrace.as_ref(), targets.iter().flatten());
        }
        previous(info);
    }));
}

/// Returns the crate name of the running program.
fn program() -> Option<String> {
    let path = env::current_exe().ok()?;
    Some(path.file_stem()?.to_str()?.replace('-', "_"))
}

fn log<'a>(
    hook: &Hook,
    info: &PanicHookInfo<'_>,
    backtrace: Option<&Backtrace>,
    targets: impl Iterator<Item = &'a Cow<'static, str>>,
) {
    if !span_lock::is_free() {
        return report(info, "no record of", LOCKED);
    }
    for target in targets {
        let outcome = dispatch(hook, info, backtrace, target);
        if outcome.is_formatted {
            let is_expected =
                panic_stage::are_records_expected() && openreplay_session::current().is_some();
            if is_expected && !outcome.is_accepted {
                report(info, "OpenReplay does not show", FILTERED);
            }
            return;
        }
    }
    // Inside another log call, the dispatcher returns no subscriber either, unless it is the global
    // one.
    let has_subscriber = dispatcher::get_default(|dispatch| !dispatch.is::<NoSubscriber>());
    let reason = if has_subscriber { FILTERED } else { UNREACHED };
    report(info, "no record of", reason);
}

const FILTERED: &str = "the filters reject it; let `panic=error` pass (see `log_panics`)";
const UNREACHED: &str =
    "this thread has no subscriber, or is inside a log call to a thread-local subscriber";

const LOCKED: &str =
    "a layer holds the lock of a span, for example because it was formatting a value";

struct Outcome {
    /// Whether a layer of ours accepted the record.
    is_accepted: bool,
    /// Whether any layer formatted the message.
    is_formatted: bool,
}

fn dispatch(
    hook: &Hook,
    info: &PanicHookInfo<'_>,
    backtrace: Option<&Backtrace>,
    target: &str,
) -> Outcome {
    let location = info.location();
    let text = Text {
        at: location,
        text: text(info.payload()),
        backtrace,
        is_formatted: Cell::new(false),
    };
    let is_accepted = hook.is_accepted(|| {
        // This never fails.
        let _ = tracing_log::format_trace(
            &Record::builder()
                .level(Level::Error)
                .target(target)
                .file(location.map(panic::Location::file))
                .line(location.map(panic::Location::line))
                .args(format_args!("{text}"))
                .build(),
        );
    });
    Outcome {
        is_accepted,
        is_formatted: text.is_formatted.get(),
    }
}

/// The message of the record, which tracks whether any layer formatted it. With per-layer filters,
/// the dispatcher does not know whether a layer accepted the record.
struct Text<'a> {
    at: Option<&'a panic::Location<'a>>,
    text: &'a str,
    backtrace: Option<&'a Backtrace>,
    is_formatted: Cell<bool>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.is_formatted.set(true);
        panic_stage::formatted();
        f.write_str("panicked")?;
        if let Some(at) = self.at {
            write!(f, " at {at}")?;
        }
        write!(f, ": {}", self.text)?;
        match self.backtrace {
            Some(backtrace) => write!(f, "\n{backtrace}"),
            None => Ok(()),
        }
    }
}

fn report(info: &PanicHookInfo<'_>, what: &str, reason: &str) {
    let location = info.location().map(ToString::to_string);
    let location = location.as_deref().unwrap_or("an unknown location");
    stderr::print(format_args!("{what} the panic at {location}: {reason}"));
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not a string")
}
