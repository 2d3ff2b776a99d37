use std::{
    any::Any,
    panic::{self, PanicHookInfo},
    sync::Once,
};

use tracing_log::log::{Level, Record};

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
pub fn log_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            record(info);
            previous(info);
        }));
    });
}

fn record(info: &PanicHookInfo<'_>) {
    let text = text(info.payload());
    let place = info.location();
    let at = place.map(ToString::to_string).unwrap_or_default();
    let mut record = Record::builder();
    record
        .level(Level::Error)
        .target("panic")
        .file(place.map(panic::Location::file))
        .line(place.map(panic::Location::line));
    // it always succeeds, and a hook has nobody to tell
    let _ = tracing_log::format_trace(
        &record
            .args(format_args!("panicked at {at}: {text}"))
            .build(),
    );
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text")
}
