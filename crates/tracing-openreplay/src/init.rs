//! The usual setup in one call.

use std::{
    env,
    io::{self, Write as _},
};

use tracing_core::Dispatch;
use tracing_subscriber::{
    EnvFilter,
    filter::{Directive, LevelFilter},
    fmt::MakeWriter,
    prelude::*,
    util::TryInitError,
};

use crate::{Json, json, log_panics};

/// Sets up logging for OpenReplay: JSON records on standard output, filtered by `RUST_LOG`, with a
/// record for each panic.
///
/// ```
/// tracing_openreplay::init();
/// ```
///
/// is short for
///
/// ```
/// tracing_openreplay::json().init();
/// ```
///
/// See [`Json::init`].
///
/// # Panics
///
/// If a global subscriber or a logger of the crate `log` is set already.
pub fn init() {
    json().init();
}

/// Does what [`init`] does, and returns an error instead of panicking.
///
/// # Errors
///
/// If a global subscriber or a logger of the crate `log` is set already.
pub fn try_init() -> Result<(), TryInitError> {
    json().try_init()
}

impl<W> Json<W>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    /// Makes this layer the global subscriber, and logs panics.
    ///
    /// ```
    /// tracing_openreplay::json().with_service_name("shop").init();
    /// ```
    ///
    /// - `RUST_LOG` filters the records, `shop=debug,tower_http=warn` for instance, in the syntax
    ///   of [`EnvFilter`]. Default: `info`. An invalid directive is reported on standard error; the
    ///   others apply. Panics, and the records and the span of `tower_openreplay::RequestLogLayer`,
    ///   pass a filter that names targets only, such as `shop=debug`.
    /// - Records of the crate `log` are captured.
    /// - [`log_panics`] is called.
    ///
    /// For more layers or another filter, add [`json()`](crate::json()) to a registry of your own.
    ///
    /// # Panics
    ///
    /// If a global subscriber or a logger of the crate `log` is set already.
    pub fn init(self) {
        if let Err(error) = self.try_init() {
            panic!("failed to initialize logging: {error}");
        }
    }

    /// Does what [`init`](Self::init) does, and returns an error instead of panicking.
    ///
    /// # Errors
    ///
    /// If a global subscriber or a logger of the crate `log` is set already. In the latter case the
    /// subscriber is set and panics are logged, but no records of `log` are captured.
    pub fn try_init(self) -> Result<(), TryInitError> {
        let subscriber = tracing_subscriber::registry().with(self).with(filter());
        let dispatch = Dispatch::new(subscriber);
        let weak = dispatch.downgrade();
        let set = dispatch.try_init();
        // it lives on if it is the global subscriber, whatever became of the logger of `log`
        if weak.upgrade().is_some() {
            log_panics();
        }
        set
    }
}

/// Builds the filter from `RUST_LOG`.
fn filter() -> EnvFilter {
    let wanted = match env::var(EnvFilter::DEFAULT_ENV) {
        Ok(wanted) => wanted,
        Err(env::VarError::NotPresent) => String::new(),
        Err(error) => {
            report(&error);
            String::new()
        }
    };
    let (directives, errors) = directives(&wanted);
    for error in errors {
        report(&error);
    }
    // each of them was parsed before
    EnvFilter::builder().parse_lossy(directives)
}

/// What a failed request must leave, whatever else a filter of targets lets pass: panics, and the
/// records and the span of `tower_openreplay::RequestLogLayer`.
const FAILURES: &str = "panic=error,tower_openreplay=info";

/// Returns the valid directives, with what failures need in front, and an error for each of the
/// others.
fn directives(wanted: &str) -> (String, Vec<String>) {
    let mut errors = Vec::new();
    let mut valid: Vec<_> = wanted
        .split(',')
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
        .filter(|directive| {
            let parsed = directive.parse::<Directive>();
            errors.extend(
                parsed
                    .as_ref()
                    .err()
                    .map(|error| format!("ignoring `{directive}`: {error}")),
            );
            parsed.is_ok()
        })
        .collect();
    let is_level = |directive: &&str| directive.parse::<LevelFilter>().is_ok();
    if valid.is_empty() {
        valid.push("info");
    } else if !valid.iter().any(is_level) {
        // in front of the user's, which replace it
        valid.insert(0, FAILURES);
    }
    (valid.join(","), errors)
}

fn report(problem: &dyn std::fmt::Display) {
    // not `eprintln!`, which panics where standard error is closed
    let _ = writeln!(
        io::stderr(),
        "tracing-openreplay: {}: {problem}",
        EnvFilter::DEFAULT_ENV
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_directives_apply_and_panics_pass() {
        let rows = [
            ("", "info", 0),
            (" , ", "info", 0),
            ("debug", "debug", 0),
            ("off", "off", 0),
            (
                "shop=debug",
                "panic=error,tower_openreplay=info,shop=debug",
                0,
            ),
            ("shop=debug, warn", "shop=debug,warn", 0),
            (
                "panic=off,shop=info",
                "panic=error,tower_openreplay=info,panic=off,shop=info",
                0,
            ),
            ("shop=loud", "info", 1),
            (
                "shop=loud,db=trace,x=y=z",
                "panic=error,tower_openreplay=info,db=trace",
                2,
            ),
            (
                "[request]=debug",
                "panic=error,tower_openreplay=info,[request]=debug",
                0,
            ),
        ];
        for (wanted, expected, wrong) in rows {
            let (directives, errors) = directives(wanted);
            assert_eq!(directives, expected, "{wanted}");
            assert_eq!(errors.len(), wrong, "{wanted}: {errors:?}");
        }
    }
}
