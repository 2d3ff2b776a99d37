//! Sets up logging in one call.

use std::env;

use tracing_core::Dispatch;
use tracing_subscriber::{
    EnvFilter,
    filter::{Directive, LevelFilter},
    fmt::MakeWriter,
    prelude::*,
    util::TryInitError,
};

use crate::{
    json::{Json, json},
    panics::log_panics,
    stderr,
};

/// Sets up logging for OpenReplay: JSON records on standard output, filtered by `RUST_LOG`, and a
/// record for each panic.
///
/// ```
/// tracing_openreplay::init();
/// ```
///
/// This is shorthand for
///
/// ```
/// tracing_openreplay::json().init();
/// ```
///
/// See [`Json::init`] for details.
///
/// # Panics
///
/// Panics if a global subscriber or a logger of the crate `log` has already been set.
pub fn init() {
    json().init();
}

/// Like [`init`], but returns an error instead of panicking.
///
/// # Errors
///
/// Returns an error if a global subscriber or a logger of the crate `log` has already been set.
pub fn try_init() -> Result<(), TryInitError> {
    json().try_init()
}

impl<W> Json<W>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    /// Sets a global subscriber with this layer, and logs panics.
    ///
    /// ```
    /// tracing_openreplay::json().with_service_name("shop").init();
    /// ```
    ///
    /// - `RUST_LOG` filters the records with the syntax of [`EnvFilter`], for instance
    ///   `shop=debug,tower_http=warn`. Default: `info`. Invalid directives are reported on standard
    ///   error and ignored. If the filter lists targets without a default level, such as
    ///   `shop=debug`, it still accepts panics, and the records and the span of
    ///   `tower_openreplay::RequestLogLayer`.
    /// - Records of the crate `log` are captured.
    /// - [`log_panics`] is called.
    ///
    /// For more layers or another filter, add [`json()`](crate::json()) to your own registry.
    ///
    /// # Panics
    ///
    /// Panics if a global subscriber or a logger of the crate `log` has already been set.
    pub fn init(self) {
        if let Err(error) = self.try_init() {
            panic!("failed to initialize logging: {error}");
        }
    }

    /// Like [`init`](Self::init), but returns an error instead of panicking.
    ///
    /// # Errors
    ///
    /// Returns an error if a global subscriber or a logger of the crate `log` has already been set.
    /// If only the logger was set, the subscriber is set and panics are logged, but records of
    /// `log` are not captured.
    pub fn try_init(self) -> Result<(), TryInitError> {
        let subscriber = tracing_subscriber::registry().with(self).with(filter());
        let dispatch = Dispatch::new(subscriber);
        let weak = dispatch.downgrade();
        let set = dispatch.try_init();
        // The dispatch is still alive if it became the global subscriber, even if setting the
        // logger of `log` failed.
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
    // Each directive has been parsed before, so none is skipped here.
    EnvFilter::builder().parse_lossy(directives)
}

/// The directives for records of failed requests, which are added to a filter that only lists
/// targets: panics, and the records and the span of `tower_openreplay::RequestLogLayer`.
const FAILURES: &str = "panic=error,tower_openreplay=info";

/// Returns the valid directives, preceded by [`FAILURES`] if necessary, and an error for each
/// invalid directive.
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
        // They come first, so that the user's directives override them.
        valid.insert(0, FAILURES);
    }
    (valid.join(","), errors)
}

fn report(problem: &dyn std::fmt::Display) {
    stderr::print(format_args!("{}: {problem}", EnvFilter::DEFAULT_ENV));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_directives_apply_and_panics_are_accepted() {
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
