//! `log_panics()`. Each test runs in a separate process, since the panic hook and the subscriber
//! are global.

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

mod hooks {
    use super::*;

    type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

    /// Sets a hook that replaces the previous one, as `color_eyre::install()` does.
    fn replace() {
        panic::set_hook(Box::new(|_| ()));
    }

    /// Sets a hook that calls the previous one.
    fn chain() {
        let before: Box<Hook> = panic::take_hook();
        panic::set_hook(Box::new(move |info| before(info)));
    }

    fn set_subscriber() {
        tracing_subscriber::registry().with(json()).init();
    }

    #[test]
    fn the_next_call_replaces_a_hook_that_replaced_ours() {
        let test = "hooks::the_next_call_replaces_a_hook_that_replaced_ours";
        assert_one_record(test, || {
            set_subscriber();
            log_panics();
            replace();
            out_of_stock();
            log_panics();
            out_of_stock();
        });
    }

    #[test]
    fn a_hook_that_calls_ours_causes_no_second_record() {
        let test = "hooks::a_hook_that_calls_ours_causes_no_second_record";
        assert_one_record(test, || {
            set_subscriber();
            log_panics();
            chain();
            log_panics();
            log_panics_as("again");
            chain();
            out_of_stock();
        });
    }

    #[test]
    fn a_previous_hook_that_calls_ours_twice_causes_no_second_record() {
        let test = "hooks::a_previous_hook_that_calls_ours_twice_causes_no_second_record";
        assert_one_record(test, || {
            set_subscriber();
            log_panics();
            let ours: Box<Hook> = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                ours(info);
                ours(info);
            }));
            log_panics();
            out_of_stock();
        });
    }

    #[test]
    fn the_previous_hook_runs_once() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let test = "hooks::the_previous_hook_runs_once";
        assert_one_record(test, || {
            set_subscriber();
            panic::set_hook(Box::new(|_| {
                CALLS.fetch_add(1, Ordering::Relaxed);
            }));
            log_panics();
            log_panics();
            out_of_stock();
            assert_eq!(CALLS.load(Ordering::Relaxed), 1);
        });
    }

    #[test]
    fn each_of_many_panics_has_a_record() {
        let test = "hooks::each_of_many_panics_has_a_record";
        let run = || {
            set_subscriber();
            log_panics();
            for _ in 0..100 {
                out_of_stock();
            }
        };
        if let Some((out, err)) = alone(test, run) {
            assert_eq!(panics(&out).len(), 100);
            assert_eq!(diagnostics(&err), [""; 0]);
        }
    }

    #[test]
    fn a_call_while_the_thread_is_panicking_does_nothing() {
        struct Late;

        impl Drop for Late {
            fn drop(&mut self) {
                log_panics();
            }
        }

        let test = "hooks::a_call_while_the_thread_is_panicking_does_nothing";
        assert_one_record(test, || {
            set_subscriber();
            catch_unwind(|| {
                let _late = Late;
                panic!("not logged");
            })
            .unwrap_err();
            out_of_stock();
            log_panics();
            out_of_stock();
        });
    }
}

mod aborts {
    use super::*;

    /// A writer that panics from its nth call on.
    #[derive(Clone, Copy)]
    struct Writer(&'static AtomicUsize);

    impl Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let left = self.0.load(Ordering::Relaxed);
            assert!(left > 0, "the writer's own");
            self.0.store(left - 1, Ordering::Relaxed);
            io::stdout().write_all(bytes)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn panics_after(calls: usize) {
        static LEFT: AtomicUsize = AtomicUsize::new(0);
        LEFT.store(calls, Ordering::Relaxed);
        tracing_subscriber::registry()
            .with(json().with_writer(|| Writer(&LEFT)))
            .init();
        log_panics();
    }

    #[test]
    fn the_hook_does_not_call_a_writer_that_has_panicked() {
        let test = "aborts::the_hook_does_not_call_a_writer_that_has_panicked";
        let run = || {
            panics_after(1);
            info!("first");
            error!("second");
            out_of_stock();
            thread::spawn(out_of_stock).join().unwrap();
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        assert_eq!(records(&out).len(), 1, "{out}");
        assert_eq!(
            diagnostics(&err),
            [
                "tracing-openreplay: lost 1 record: the record of a panic was not written because the writer had panicked; more are counted and reported every 10 s",
                "tracing-openreplay: lost 1 record: the writer panicked; more are counted and reported every 10 s",
            ]
        );
    }

    #[test]
    fn a_clock_that_panics_does_not_abort() {
        let test = "aborts::a_clock_that_panics_does_not_abort";
        let run = || {
            let clock = || panic!("out of stock");
            tracing_subscriber::registry()
                .with(json().with_clock(clock))
                .init();
            log_panics();
            info!("first: out of stock");
            out_of_stock();
        };
        if let Some((out, err)) = alone(test, run) {
            assert_eq!(panics(&out).len(), 3, "{out}{err}");
        }
    }

    #[test]
    fn a_clock_that_would_panic_while_a_panic_is_logged_does_not_abort() {
        let test = "aborts::a_clock_that_would_panic_while_a_panic_is_logged_does_not_abort";
        assert_one_record(test, || {
            let clock = || panic!("out of stock");
            tracing_subscriber::registry()
                .with(json().with_clock(clock))
                .init();
            log_panics();
            out_of_stock();
        });
    }

    #[test]
    fn a_panic_while_panicking_has_a_record_before_the_process_ends() {
        struct Bomb;

        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("second: out of stock");
            }
        }

        let test = "aborts::a_panic_while_panicking_has_a_record_before_the_process_ends";
        let run = || {
            tracing_subscriber::registry().with(json()).init();
            log_panics();
            let _bomb = Bomb;
            panic!("first: out of stock");
        };
        let Some(child) = child(test, &[], run) else {
            return;
        };
        assert!(!child.status.success());
        let out = String::from_utf8(child.stdout).unwrap();
        let records = records(&out);
        let messages: Vec<_> = records
            .iter()
            .map(|record| record["message"].as_str().unwrap())
            .collect();
        assert!(
            messages[0].ends_with(": first: out of stock"),
            "{messages:?}"
        );
        assert!(
            messages[1].ends_with(": second: out of stock"),
            "{messages:?}"
        );
        // The message of Rust's runtime.
        assert!(messages.len() <= 3, "{messages:?}");
    }

    #[test]
    fn a_panic_while_standard_output_is_locked_is_logged() {
        // The panicking thread holds the lock of standard output, which the hook needs as well.
        let test = "aborts::a_panic_while_standard_output_is_locked_is_logged";
        assert_one_record(test, || {
            tracing_subscriber::registry().with(json()).init();
            log_panics();
            let _span = span!(Level::INFO, "request").entered();
            catch_unwind(|| {
                let mut out = io::stdout().lock();
                writeln!(out, "half a line").unwrap();
                panic!("out of stock");
            })
            .unwrap_err();
        });
    }
}

mod locked_spans {
    use super::*;

    struct Bomb;

    impl std::fmt::Debug for Bomb {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("out of stock");
        }
    }

    const LOCKED: &str =
        ": a layer holds the lock of a span, for example because it was formatting a value";

    fn set_up() {
        let layer = fmt::layer().with_writer(io::stderr);
        tracing_subscriber::registry()
            .with(layer)
            .with(json())
            .init();
        log_panics();
    }

    /// fmt's layer formats the value while it holds the lock of the span.
    fn record() {
        let record = || {
            Span::current().record("user", debug(&Bomb));
        };
        catch_unwind(record).unwrap_err();
    }

    #[test]
    fn a_value_that_panics_while_its_span_is_locked_does_not_block_the_thread() {
        let test =
            "locked_spans::a_value_that_panics_while_its_span_is_locked_does_not_block_the_thread";
        assert_reported(test, "no record of", LOCKED, || {
            set_up();
            let _outer = span!(Level::INFO, "request", user = Empty).entered();
            record();
        });
    }

    #[test]
    fn a_log_call_in_a_span_with_a_poisoned_lock_does_not_abort() {
        let test = "locked_spans::a_log_call_in_a_span_with_a_poisoned_lock_does_not_abort";
        let run = || {
            set_up();
            let span = span!(Level::INFO, "request", user = Empty).entered();
            record();
            catch_unwind(|| error!("text")).unwrap_err();
            drop(span);
            out_of_stock();
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        assert_eq!(panics(&out).len(), 1, "{out}{err}");
        let diagnostics = diagnostics(&err);
        assert_eq!(diagnostics.len(), 2, "{err}");
        assert!(diagnostics[1].ends_with(LOCKED), "{err}");
    }

    /// A layer that only locks a span while it formats a value.
    struct Locking;

    impl<S> Layer<S> for Locking
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
            let span = ctx.span(id).unwrap();
            let _extensions = span.extensions_mut();
            let _text = format!("{values:?}");
        }
    }

    /// Poisons the lock of a span, which the unwinding then drops.
    fn unwind() {
        catch_unwind(|| {
            let _span = span!(Level::INFO, "request", path = "/cart", user = Empty).entered();
            record();
            error!("inside");
            panic!("out of stock");
        })
        .unwrap_err();
    }

    #[test]
    fn json_reads_no_span_with_a_poisoned_lock() {
        let test = "locked_spans::json_reads_no_span_with_a_poisoned_lock";
        let run = || {
            let json = json()
                .with_span_close(true)
                .with_span_fields_in_message(true);
            tracing_subscriber::registry()
                .with(Locking)
                .with(json)
                .init();
            unwind();
            sync_scope(SessionId::from(42), unwind);
            // The registry reuses the memory of the span, with its lock.
            let _span = span!(Level::INFO, "next", path = "/cart").entered();
            error!("after");
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        let records = records(&out);
        let messages = records.iter().map(|record| &record["message"]);
        let expected = [
            "inside\nin request",
            "[openReplaySession.id=42] inside\nin request",
            "after\nin next",
        ];
        assert_eq!(Vec::from_iter(messages), expected, "{err}");
    }

    #[test]
    fn a_span_with_a_poisoned_lock_has_no_session_of_an_outer_span() {
        let test = "locked_spans::a_span_with_a_poisoned_lock_has_no_session_of_an_outer_span";
        let run = || {
            tracing_subscriber::registry()
                .with(Locking)
                .with(json())
                .init();
            let request = sync_scope(SessionId::from(7), || span!(Level::INFO, "request"));
            let _request = request.entered();
            error!("of the visitor");
            let worker = sync_without_session(|| span!(Level::INFO, "worker", user = Empty));
            let _worker = worker.entered();
            error!("of nobody");
            record();
            error!("of nobody");
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        let records = records(&out);
        let messages = records.iter().map(|record| &record["message"]);
        let expected = [
            "[openReplaySession.id=7] of the visitor",
            "of nobody",
            "of nobody",
        ];
        assert_eq!(Vec::from_iter(messages), expected, "{err}");
    }

    #[test]
    fn with_session_reads_no_span_with_a_poisoned_lock() {
        let test = "locked_spans::with_session_reads_no_span_with_a_poisoned_lock";
        let run = || {
            let layer = fmt::layer().with_writer(io::sink).with_session();
            tracing_subscriber::registry()
                .with(layer.with_span_close(true))
                .init();
            for scope in [Scope::Unset, SessionId::from(42).into()] {
                sync_scope(scope, || {
                    let unwind = || {
                        let _span = span!(Level::INFO, "request", user = Empty).entered();
                        Span::current().record("user", debug(&Bomb));
                    };
                    catch_unwind(unwind).unwrap_err();
                    // fmt cannot create the next span in this memory.
                    catch_unwind(unwind).unwrap_err();
                });
            }
        };
        alone(test, run);
    }

    #[test]
    fn the_hook_ignores_panics_of_poisoned_locks() {
        let test = "locked_spans::the_hook_ignores_panics_of_poisoned_locks";
        let run = || {
            tracing_subscriber::registry()
                .with(Locking)
                .with(json())
                .init();
            log_panics();
            unwind();
        };
        let Some((out, err)) = alone(test, run) else {
            return;
        };
        assert_eq!(records(&out).len(), 1, "{out}");
        let diagnostics = diagnostics(&err);
        // Those of the value, and of `unwind`.
        assert_eq!(diagnostics.len(), 2, "{err}");
        assert!(!err.contains("PoisonError"), "{err}");
    }
}
