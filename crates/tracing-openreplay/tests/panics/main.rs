//! `log_panics()`. Each test runs in a separate process, since the panic hook and the subscriber
//! are global.

mod aborts;
mod hooks;
mod locked_spans;
#[path = "../support/mod.rs"]
mod support;

use std::{
    io::{self, Write},
    panic::{self, PanicHookInfo, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use openreplay_session::{Scope, SessionId, sync_scope, sync_without_session};
use serde_json::Value;
use tracing::{
    Level, Span, Subscriber, error,
    field::{Empty, debug},
    info, span,
    span::{Id, Record},
};
use tracing_openreplay::{
    Json, LayerExt as _, PanicLog, SessionOnly, json, log_panics, log_panics_as,
};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt, layer::Context, prelude::*, registry::LookupSpan,
    reload,
};

use crate::support::{alone, child, diagnostics, records};

fn out_of_stock() {
    catch_unwind(|| panic!("out of stock")).unwrap_err();
}

/// A value that panics when it is formatted.
struct Bomb;

impl std::fmt::Debug for Bomb {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("out of stock");
    }
}

/// Returns the records of panics, and checks that each is that of `out_of_stock`.
fn panics(out: &str) -> Vec<Value> {
    let records = records(out);
    for record in &records {
        let message = record["message"].as_str().unwrap();
        assert!(message.ends_with(": out of stock"), "{message}");
    }
    records
}

#[track_caller]
fn assert_one_record(test: &str, run: impl FnOnce()) {
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(panics(&out).len(), 1, "{out}{err}");
        assert_eq!(diagnostics(&err), [""; 0]);
    }
}

/// Asserts that there is no record, and one line on standard error that ends with `reason`.
#[track_caller]
fn assert_reported(test: &str, what: &str, reason: &str, run: impl FnOnce()) {
    let Some((out, err)) = alone(test, run) else {
        return;
    };
    assert_eq!(panics(&out).len(), 0, "{out}");
    let diagnostics = diagnostics(&err);
    assert_eq!(diagnostics.len(), 1, "{err}");
    let start = format!("tracing-openreplay: {what} the panic at {}:", file!());
    assert!(diagnostics[0].starts_with(&start), "{err}");
    assert!(diagnostics[0].ends_with(reason), "{err}");
    assert!(
        err.contains("out of stock"),
        "the previous hook did not run: {err}"
    );
}

const FILTERED: &str = ": the filters reject it; let `panic=error` pass (see `log_panics`)";

fn targets(names: &[&'static str]) -> Targets {
    Targets::new().with_targets(names.iter().map(|name| (*name, Level::WARN)))
}

mod filters {
    use super::*;

    #[test]
    fn a_filter_that_lists_the_program_accepts_its_panics() {
        let test = "filters::a_filter_that_lists_the_program_accepts_its_panics";
        let run = || {
            let subscriber = tracing_subscriber::registry().with(json());
            subscriber.with(targets(&["panics", "tower_http"])).init();
            log_panics();
            out_of_stock();
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        let panics = panics(&out);
        assert_eq!(panics.len(), 1, "{out}{err}");
        let logger = panics[0]["log.logger"].as_str().unwrap();
        assert!(logger.starts_with("panics"), "{logger}");
        assert_eq!(diagnostics(&err), [""; 0]);
    }

    #[test]
    fn the_target_can_be_chosen() {
        let test = "filters::the_target_can_be_chosen";
        let run = || {
            let subscriber = tracing_subscriber::registry().with(json());
            subscriber.with(targets(&["shop"])).init();
            log_panics_as("other");
            log_panics_as("shop::panics");
            out_of_stock();
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        let panics = panics(&out);
        assert_eq!(panics.len(), 1, "{out}{err}");
        assert_eq!(panics[0]["log.logger"], "shop::panics");
        assert_eq!(diagnostics(&err), [""; 0]);
    }

    #[test]
    fn a_rejected_panic_is_reported() {
        let test = "filters::a_rejected_panic_is_reported";
        assert_reported(test, "no record of", FILTERED, || {
            let subscriber = tracing_subscriber::registry().with(json());
            subscriber.with(targets(&["tower_http"])).init();
            log_panics();
            out_of_stock();
        });
    }

    #[test]
    fn a_panic_that_all_layers_reject_is_reported() {
        let test = "filters::a_panic_that_all_layers_reject_is_reported";
        assert_reported(test, "no record of", FILTERED, || {
            let shop = || EnvFilter::new("shop=debug");
            tracing_subscriber::registry()
                .with(json().with_filter(shop()))
                .with(fmt::layer().with_session().with_filter(shop()))
                .with(fmt::layer().with_filter(shop()))
                .init();
            log_panics();
            out_of_stock();
        });
    }

    #[test]
    fn a_per_layer_filter_can_list_the_program() {
        let test = "filters::a_per_layer_filter_can_list_the_program";
        assert_one_record(test, || {
            tracing_subscriber::registry()
                .with(json().with_filter(targets(&["panics"])))
                .init();
            log_panics();
            out_of_stock();
        });
    }

    #[test]
    fn a_panic_that_only_another_layer_accepts_is_written_there_once() {
        let test = "filters::a_panic_that_only_another_layer_accepts_is_written_there_once";
        let run = || {
            tracing_subscriber::registry()
                .with(json().with_filter(targets(&["panics"])))
                .with(fmt::layer().with_ansi(false))
                .init();
            log_panics();
            out_of_stock();
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        assert_eq!(out.matches("ERROR panic: panicked at").count(), 1, "{out}");
        assert_eq!(records(&out).len(), 0, "{out}");
        // Outside a session, OpenReplay would not show the panic anyway.
        assert_eq!(diagnostics(&err), [""; 0]);
    }

    #[test]
    fn a_panic_in_a_session_that_only_another_layer_accepts_is_reported() {
        let test = "filters::a_panic_in_a_session_that_only_another_layer_accepts_is_reported";
        assert_reported(test, "OpenReplay does not show", FILTERED, || {
            tracing_subscriber::registry()
                .with(json().with_filter(targets(&["shop"])))
                .with(fmt::layer().with_ansi(false))
                .init();
            log_panics();
            sync_scope(SessionId::from(7), out_of_stock);
        });
    }

    #[test]
    fn a_filter_inside_with_session_does_not_accept_the_panic() {
        let test = "filters::a_filter_inside_with_session_does_not_accept_the_panic";
        assert_reported(test, "OpenReplay does not show", FILTERED, || {
            let filtered = fmt::layer().with_filter(targets(&["shop"]));
            tracing_subscriber::registry()
                .with(filtered.with_session())
                .with(fmt::layer().with_ansi(false))
                .init();
            log_panics();
            sync_scope(SessionId::from(7), out_of_stock);
        });
    }

    #[test]
    fn a_layer_inside_with_session_accepts_the_panic() {
        let test = "filters::a_layer_inside_with_session_accepts_the_panic";
        let run = || {
            let filtered = fmt::layer()
                .with_ansi(false)
                .with_filter(targets(&["panic"]));
            tracing_subscriber::registry()
                .with(filtered.with_session())
                .init();
            log_panics();
            sync_scope(SessionId::from(7), out_of_stock);
        };
        if let Some((out, err)) = alone(test, run) {
            let prefix = "ERROR panic: [openReplaySession.id=7] panicked at";
            assert_eq!(out.matches(prefix).count(), 1, "{out}");
            assert_eq!(diagnostics(&err), [""; 0]);
        }
    }

    #[test]
    fn without_a_layer_of_this_crate_nothing_is_reported() {
        let test = "filters::without_a_layer_of_this_crate_nothing_is_reported";
        let run = || {
            fmt().with_ansi(false).init();
            log_panics();
            sync_scope(SessionId::from(7), out_of_stock);
        };
        if let Some((out, err)) = alone(test, run) {
            assert_eq!(out.matches("ERROR panic: panicked at").count(), 1, "{out}");
            assert_eq!(diagnostics(&err), [""; 0]);
        }
    }

    #[test]
    fn the_filter_for_sessions_accepts_the_panics_of_sessions() {
        let test = "filters::the_filter_for_sessions_accepts_the_panics_of_sessions";
        assert_one_record(test, || {
            tracing_subscriber::registry()
                .with(json().with_filter(SessionOnly))
                .with(fmt::layer().with_writer(io::sink))
                .init();
            log_panics();
            out_of_stock();
            sync_scope(SessionId::from(7), out_of_stock);
        });
    }

    #[test]
    fn layers_can_be_optional_or_reloadable() {
        let test = "filters::layers_can_be_optional_or_reloadable";
        assert_one_record(test, || {
            let (reloadable, handle) = reload::Layer::new(None::<Json>);
            tracing_subscriber::registry()
                .with(reloadable.with_filter(targets(&["panic"])))
                .with(None::<fmt::Layer<_>>)
                .init();
            log_panics();
            handle.reload(Some(json())).unwrap();
            out_of_stock();
        });
    }

    #[test]
    fn a_reloadable_layer_that_is_none_has_no_record() {
        let test = "filters::a_reloadable_layer_that_is_none_has_no_record";
        assert_reported(test, "no record of", FILTERED, || {
            let (reloadable, _handle) = reload::Layer::new(None::<Json>);
            tracing_subscriber::registry().with(reloadable).init();
            log_panics();
            out_of_stock();
        });
    }
}

mod subscribers {
    use super::*;

    const UNREACHED: &str =
        ": this thread has no subscriber, or is inside a log call to a thread-local subscriber";

    #[test]
    fn a_missing_subscriber_is_reported_as_the_reason() {
        let test = "subscribers::a_missing_subscriber_is_reported_as_the_reason";
        assert_reported(test, "no record of", UNREACHED, || {
            log_panics();
            out_of_stock();
        });
    }

    #[test]
    fn a_subscriber_of_another_thread_is_ignored() {
        let test = "subscribers::a_subscriber_of_another_thread_is_ignored";
        assert_reported(test, "no record of", UNREACHED, || {
            let subscriber = tracing_subscriber::registry().with(json());
            let _guard = tracing::subscriber::set_default(subscriber);
            log_panics();
            thread::spawn(out_of_stock).join().unwrap();
        });
    }

    #[test]
    fn a_subscriber_of_the_thread_is_used() {
        let test = "subscribers::a_subscriber_of_the_thread_is_used";
        assert_one_record(test, || {
            let subscriber = tracing_subscriber::registry().with(json());
            let _guard = tracing::subscriber::set_default(subscriber);
            log_panics();
            out_of_stock();
        });
    }
}

#[test]
fn a_backtrace_can_follow_on_separate_lines() {
    let test = "a_backtrace_can_follow_on_separate_lines";
    let run = || {
        tracing_subscriber::registry().with(json()).init();
        log_panics();
        PanicLog::new().with_backtrace(true).install();
        out_of_stock();
    };
    let Some((out, err)) = alone(test, run) else {
        return;
    };
    let records = records(&out);
    assert_eq!(records.len(), 1, "{out}{err}");
    let message = records[0]["message"].as_str().unwrap();
    let (first, rest) = message.split_once('\n').unwrap();
    assert!(first.ends_with(": out of stock"), "{first}");
    assert!(rest.contains("panics::out_of_stock"), "{rest}");
    assert!(rest.lines().count() > 5, "{rest}");
}
