//! `init()`. Each test runs in a separate process, since the subscriber, the logger and the panic
//! hook are global.

#![cfg(feature = "init")]

mod support;

use std::panic::catch_unwind;

use serde_json::Value;
use tracing::{debug, info, warn};
use tracing_openreplay::json;
use tracing_subscriber::prelude::*;

use crate::support::{alone, alone_with, diagnostics, records};

fn log() {
    debug!(target: "shop", "debug of shop");
    info!(target: "shop", "info of shop");
    info!(target: "other", "info of other");
    warn!(target: "other", "warn of other");
    log::debug!(target: "shop", "debug of log");
    log::warn!(target: "other", "warn of log");
    catch_unwind(|| panic!("a panic")).unwrap_err();
}

/// Returns the messages without the location of the panic.
fn messages(out: &str) -> Vec<String> {
    let message = |record: &Value| {
        let message = record["message"].as_str().unwrap();
        if message.ends_with(": a panic") {
            return "a panic".to_owned();
        }
        message.to_owned()
    };
    records(out).iter().map(message).collect()
}

#[test]
fn records_from_info_panics_and_log_records_are_on_standard_output() {
    let test = "records_from_info_panics_and_log_records_are_on_standard_output";
    let run = || {
        tracing_openreplay::init();
        log();
    };
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(
            messages(&out),
            [
                "info of shop",
                "info of other",
                "warn of other",
                "warn of log",
                "a panic"
            ]
        );
        assert_eq!(diagnostics(&err), [""; 0]);
    }
}

#[test]
fn key_values_of_log_are_lost_as_documented() {
    let test = "key_values_of_log_are_lost_as_documented";
    let run = || {
        tracing_openreplay::init();
        log::error!(user = 5; "text");
    };
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(messages(&out), ["text"], "{err}");
        assert_eq!(records(&out)[0].get("fields"), None);
    }
}

#[test]
fn the_variable_filters_records_and_panics_are_accepted() {
    let test = "the_variable_filters_records_and_panics_are_accepted";
    let run = || {
        json().with_service_name("shop").init();
        log();
    };
    if let Some((out, err)) = alone_with(test, &[("RUST_LOG", "shop=debug")], run) {
        assert_eq!(
            messages(&out),
            ["debug of shop", "info of shop", "debug of log", "a panic"]
        );
        assert!(
            records(&out)
                .iter()
                .all(|record| record["service.name"] == "shop")
        );
        assert_eq!(diagnostics(&err), [""; 0]);
    }
}

#[test]
fn an_invalid_directive_is_reported_and_the_others_apply() {
    let test = "an_invalid_directive_is_reported_and_the_others_apply";
    let run = || {
        tracing_openreplay::init();
        log();
    };
    if let Some((out, err)) = alone_with(test, &[("RUST_LOG", "shop=loud,warn")], run) {
        assert_eq!(messages(&out), ["warn of other", "warn of log", "a panic"]);
        let diagnostics = diagnostics(&err);
        assert_eq!(diagnostics.len(), 1, "{err}");
        let start = "tracing-openreplay: RUST_LOG: ignoring `shop=loud`: ";
        assert!(diagnostics[0].starts_with(start), "{err}");
    }
}

#[test]
fn off_also_disables_panic_records_which_is_reported() {
    let test = "off_also_disables_panic_records_which_is_reported";
    let run = || {
        tracing_openreplay::init();
        log();
    };
    if let Some((out, err)) = alone_with(test, &[("RUST_LOG", "off")], run) {
        assert_eq!(messages(&out), [""; 0]);
        assert_eq!(diagnostics(&err).len(), 1, "{err}");
    }
}

#[test]
fn panics_are_logged_if_another_logger_of_log_is_set() {
    struct Other;

    impl log::Log for Other {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }

        fn log(&self, _: &log::Record<'_>) {}

        fn flush(&self) {}
    }

    let test = "panics_are_logged_if_another_logger_of_log_is_set";
    let run = || {
        log::set_logger(&Other).unwrap();
        tracing_openreplay::try_init().unwrap_err();
        catch_unwind(|| panic!("a panic")).unwrap_err();
    };
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(messages(&out), ["a panic"], "{err}");
        assert_eq!(diagnostics(&err), [""; 0]);
    }
}

#[test]
fn panics_are_not_logged_if_another_subscriber_is_set() {
    let test = "panics_are_not_logged_if_another_subscriber_is_set";
    let run = || {
        let other = tracing_subscriber::registry().with(json());
        tracing::subscriber::set_global_default(other).unwrap();
        tracing_openreplay::try_init().unwrap_err();
        catch_unwind(|| panic!("a panic")).unwrap_err();
    };
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(messages(&out), [""; 0], "{err}");
    }
}

#[test]
fn a_second_call_returns_an_error_or_panics() {
    let test = "a_second_call_returns_an_error_or_panics";
    let run = || {
        tracing_openreplay::try_init().unwrap();
        tracing_openreplay::try_init().unwrap_err();
        json().try_init().unwrap_err();
        let panic = catch_unwind(tracing_openreplay::init).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.starts_with("failed to initialize logging: "), "{text}");
        catch_unwind(|| json().init()).unwrap_err();
    };
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(
            records(&out).len(),
            2,
            "a record for each of the panics: {out}{err}"
        );
    }
}
