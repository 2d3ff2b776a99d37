//! A record for each panic.

mod stage;

use std::{
    any::Any,
    backtrace::Backtrace,
    borrow::Cow,
    cell::Cell,
    env, fmt,
    io::{self, Write as _},
    panic::{self, PanicHookInfo},
    sync::{Mutex, PoisonError},
    thread,
};

use tracing_core::{dispatcher, subscriber::NoSubscriber};
use tracing_log::log::{Level, Record};

use self::stage::Hook;
pub(crate) use self::stage::{accept, expect_records, is_hook_running};
#[cfg(feature = "opentelemetry")]
use crate::json;

/// Writes one error record for each panic, with its location, in the session of the code that
/// panicked.
///
/// The hook that was set before still runs, so the panic also shows on standard error. Call this
/// once the subscriber is set. If another library sets a hook of its own later on
/// (`color_eyre::install()` does), call this again. However often it is called, and even if the
/// other hook calls ours, a panic has one record. Called while the thread is panicking, it does
/// nothing.
///
/// The record's target is `panic`; its file and line are those of the panic, like those of a `log`
/// record. So it reaches every layer, and layers that know `log` records show the location. Its
/// message is `panicked at src/cart.rs:12:5: …`.
///
/// ```
/// tracing_openreplay::log_panics();
/// ```
///
/// # Filters
///
/// A filter that names targets but no default level, `RUST_LOG=shop=debug,tower_http=warn` for
/// instance, rejects `panic`. If no layer accepts the record, it is dispatched once more with the
/// name of the running program as its target, spelled as a crate: `shop`. If no layer accepts that
/// either, a line on standard error reports that the panic has no record.
///
/// A layer accepts the record if it formats the message. If another layer accepts the record but no
/// [`json()`](crate::json()) and no [`with_session()`](crate::LayerExt::with_session) does, the
/// record is not dispatched again, since the other layer would write it twice. If the panic
/// happened in a session, a line on standard error reports that OpenReplay does not show the panic.
/// To avoid that, add `panic=error` to the filters or use [`log_panics_as`].
///
/// # Aborts
///
/// A panic inside of a panic hook aborts the process, even under `catch_unwind`. A hook runs the
/// layers, so a layer or a writer that panics on the record aborts the process. `json()` aborts the
/// process in two cases only:
///
/// - Its writer panics for the first time, and on the record of a panic. Once the writer has
///   panicked, `json()` does not pass the records of panics to that writer any more; these records
///   are counted as lost.
/// - With the feature `opentelemetry`, the code that panicked was called while OpenTelemetry was
///   changing the thread's current context, from another layer's handling of OpenTelemetry's own
///   warnings for instance.
///
/// Other layers abort the process if their writers panic, or if they take a lock again that they
/// hold while they call your code.
///
/// # Trace ids
///
/// With the feature `opentelemetry`, the record of a panic has `trace.id` and `span.id` if `json()`
/// has seen a record or the entering of a span on that thread before. Otherwise reading the ids
/// might panic, since the thread may be ending.
pub fn log_panics() {
    PanicLog::new().install();
}

/// Does what [`log_panics`] does, with a target of your choice, which the filters should accept.
///
/// ```
/// tracing_openreplay::log_panics_as(env!("CARGO_CRATE_NAME"));
/// ```
///
/// The last call decides on the target.
pub fn log_panics_as(target: impl Into<Cow<'static, str>>) {
    PanicLog::new().with_target(target).install();
}

/// [`log_panics()`] with options.
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
    /// Creates the options that [`log_panics()`] has.
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

    /// Whether the message ends in a backtrace, on lines of its own, whatever `RUST_BACKTRACE`
    /// says. Default: no.
    ///
    /// Its functions have names and lines only as far as the program has debug information. The
    /// first panic of a process takes some milliseconds longer, which it needs to read that.
    pub fn with_backtrace(mut self, backtrace: bool) -> Self {
        self.backtrace = backtrace;
        self
    }

    /// Sets the hook, as [`log_panics()`] does: the last call decides on the options.
    pub fn install(self) {
        install(self);
    }
}

fn install(options: PanicLog) {
    /// Between taking a hook and setting ours, another call would not see the hook.
    static INSTALLING: Mutex<()> = Mutex::new(());

    // the hook of a panicking thread cannot be changed: that would be another panic
    if thread::panicking() {
        return;
    }
    let targets = [Some(options.target), program().map(Cow::from)];
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        #[cfg(feature = "opentelemetry")]
        if json::trace::is_reading() {
            // `json()` catches this panic
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

/// The name of the running program, spelled as a crate.
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
    for target in targets {
        let outcome = dispatch(hook, info, backtrace, target);
        if outcome.is_formatted {
            let is_expected =
                stage::are_records_expected() && openreplay_session::current().is_some();
            if is_expected && !outcome.is_accepted {
                report(info, "OpenReplay does not show", FILTERED);
            }
            return;
        }
    }
    // inside of another log call the dispatcher hands out no subscriber either, unless it is that
    // of the whole process
    let has_subscriber = dispatcher::get_default(|dispatch| !dispatch.is::<NoSubscriber>());
    let reason = if has_subscriber { FILTERED } else { UNREACHED };
    report(info, "no record of", reason);
}

const FILTERED: &str = "the filters reject it; let `panic=error` pass (see `log_panics`)";
const UNREACHED: &str =
    "this thread has no subscriber, or is inside of a log call to a subscriber of its own";

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
        // always succeeds
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

/// The message of the record. Whether any layer formatted it shows whether any layer has the
/// record: with filters of layers, the dispatcher does not know.
struct Text<'a> {
    at: Option<&'a panic::Location<'a>>,
    text: &'a str,
    backtrace: Option<&'a Backtrace>,
    is_formatted: Cell<bool>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.is_formatted.set(true);
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
    // not `eprintln!`: a panic in a panic hook aborts
    let _ = writeln!(
        io::stderr(),
        "tracing-openreplay: {what} the panic at {}: {reason}",
        location.as_deref().unwrap_or("an unknown location"),
    );
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text")
}
