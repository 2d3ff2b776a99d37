//! Records of a thread that is ending, whose OpenTelemetry context may already be destroyed. Each
//! test runs in a separate process, since a failure would abort the process.

// Each test file uses a part of the module.
#[allow(dead_code)]
mod support;

use std::{
    panic::{self, catch_unwind},
    thread,
};

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use serde_json::Value;
use tracing::{error, info, info_span};
use tracing_openreplay::{json, log_panics};
use tracing_subscriber::prelude::*;

use crate::support::{alone, records};

struct AtEnd(fn());

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0();
    }
}

/// Calls `run` on a new thread, and `at_end` once that thread has destroyed the thread-locals that
/// `run` initialised.
fn on_thread(run: fn(), at_end: fn()) {
    thread_local! {
        static AT_END: std::cell::Cell<Option<AtEnd>> = const { std::cell::Cell::new(None) };
    }
    let thread = thread::spawn(move || {
        // Thread-locals are destroyed in the reverse order of their first use.
        AT_END.set(Some(AtEnd(at_end)));
        run();
    });
    thread.join().unwrap();
}

fn init() {
    tracing_subscriber::registry().with(json()).init();
}

fn messages(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record["message"].as_str().unwrap())
        .collect()
}

fn attached() -> opentelemetry::ContextGuard {
    let (trace, span) = (TraceId::from(7), SpanId::from(8));
    let flags = TraceFlags::SAMPLED;
    let span = SpanContext::new(trace, span, flags, true, TraceState::default());
    Context::new().with_remote_span_context(span).attach()
}

#[test]
fn a_record_after_others_is_written_without_a_panic() {
    let test = "a_record_after_others_is_written_without_a_panic";
    let run = || {
        init();
        on_thread(|| info!("running"), || info!("ending"));
    };
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(messages(&records(&out)), ["running", "ending"], "{out}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

#[test]
fn the_hook_ignores_the_panic_of_a_threads_first_record() {
    let test = "the_hook_ignores_the_panic_of_a_threads_first_record";
    let run = || {
        init();
        log_panics();
        on_thread(
            || drop(Context::current()),
            || {
                info!("ending");
                info!("once more");
            },
        );
    };
    if let Some((out, err)) = alone(test, run) {
        assert_eq!(messages(&records(&out)), ["ending", "once more"], "{out}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

#[test]
fn a_hook_that_logs_writes_its_record() {
    let test = "a_hook_that_logs_writes_its_record";
    let run = || {
        init();
        panic::set_hook(Box::new(|_| error!("a panic")));
        on_thread(
            || drop(Context::current()),
            || {
                info!("ending");
                info!("once more");
            },
        );
    };
    if let Some((out, _)) = alone(test, run) {
        let records = records(&out);
        assert_eq!(messages(&records), ["a panic", "ending", "once more"]);
    }
}

#[test]
fn a_panic_that_is_a_threads_first_record_is_logged() {
    let test = "a_panic_that_is_a_threads_first_record_is_logged";
    let run = || {
        init();
        log_panics();
        on_thread(
            || drop(Context::current()),
            || {
                catch_unwind(|| panic!("out of stock")).unwrap_err();
            },
        );
    };
    if let Some((out, err)) = alone(test, run) {
        let records = records(&out);
        let [record] = &records[..] else {
            panic!("{out}{err}");
        };
        let message = record["message"].as_str().unwrap();
        assert!(message.ends_with(": out of stock"), "{message}");
    }
}

#[test]
fn a_panic_in_a_span_has_the_trace_even_if_it_is_a_threads_first_record() {
    let test = "a_panic_in_a_span_has_the_trace_even_if_it_is_a_threads_first_record";
    let run = || {
        init();
        log_panics();
        on_thread(
            || {
                let _attached = attached();
                info_span!("request").in_scope(|| {
                    catch_unwind(|| panic!("out of stock")).unwrap_err();
                });
            },
            || (),
        );
    };
    if let Some((out, err)) = alone(test, run) {
        let records = records(&out);
        assert_eq!(records.len(), 1, "{out}{err}");
        assert_eq!(records[0]["trace.id"], TraceId::from(7).to_string());
        assert_eq!(records[0]["span.id"], SpanId::from(8).to_string());
    }
}
