use std::{
    any::Any,
    borrow::Cow,
    env,
    io::{self, Write as _},
    panic::{self, PanicHookInfo},
    sync::Once,
};

use tracing_core::dispatcher;
use tracing_log::{
    AsTrace as _,
    log::{Level, Record},
};

/// Writes an error record for each panic, with its place, in the session of the code that panicked.
///
/// The hook that was there before runs as well, so the panic still shows on standard error. To be called once the subscriber is
/// set; a second call changes nothing.
///
/// The record comes with the target `panic` and with the panic's file and line as its own, like a record of the crate `log`:
/// it reaches every layer, and what knows such records shows the place. Its message is `panicked at src/cart.rs:12:5: …`.
///
/// ```
/// tracing_openreplay::log_panics();
/// ```
///
/// # Filters
///
/// A filter that names targets and no default level, `RUST_LOG=shop=debug,tower_http=warn` for instance, refuses `panic`. Then the
/// record comes with the name of the running program as its target, as its crate spells it: `shop`. Where that is refused too, a line
/// on standard error says that there is no record. That needs every layer to refuse: where a filter belongs to one of several layers,
/// add `panic=error` to it or use [`log_panics_as`].
pub fn log_panics() {
    install("panic");
}

/// The same with a target of your choice, which the filters should let through.
///
/// ```
/// tracing_openreplay::log_panics_as(env!("CARGO_CRATE_NAME"));
/// ```
///
/// Only the first call of either function counts.
pub fn log_panics_as(target: impl Into<Cow<'static, str>>) {
    install(target);
}

fn install(target: impl Into<Cow<'static, str>>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let targets = [Some(target.into()), program().map(Cow::from)];
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let mut targets = targets.iter().flatten();
            if !targets.any(|target| record(info, target)) {
                unrecorded(info);
            }
            previous(info);
        }));
    });
}

/// The name of the running program, as its crate is called.
fn program() -> Option<String> {
    let path = env::current_exe().ok()?;
    Some(path.file_stem()?.to_str()?.replace('-', "_"))
}

/// Writes the record, if this target is let through.
fn record(info: &PanicHookInfo<'_>, target: &str) -> bool {
    let text = text(info.payload());
    let place = info.location();
    let at = place.map(ToString::to_string).unwrap_or_default();
    let mut record = Record::builder();
    record
        .level(Level::Error)
        .target(target)
        .file(place.map(panic::Location::file))
        .line(place.map(panic::Location::line));
    let asked = record.args(format_args!("")).build();
    let is_enabled = dispatcher::get_default(|dispatch| dispatch.enabled(&asked.as_trace()));
    if is_enabled {
        // it always succeeds
        let _ = tracing_log::format_trace(
            &record
                .args(format_args!("panicked at {at}: {text}"))
                .build(),
        );
    }
    is_enabled
}

fn unrecorded(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    // not `eprintln!`: a panic in a panic hook aborts
    let _ = writeln!(
        io::stderr(),
        "tracing-openreplay: no record of the panic at {}: the filters refuse it (see `log_panics`)",
        place.as_deref().unwrap_or("an unknown place"),
    );
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text")
}
