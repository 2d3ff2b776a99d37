//! Values that panic while a layer holds the lock of their span.

use super::*;

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

/// Returns the messages of the records.
fn messages(out: &str) -> Vec<Value> {
    let records = records(out);
    records
        .iter()
        .map(|record| record["message"].clone())
        .collect()
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
    let expected = [
        "inside\nin request",
        "[openReplaySession.id=42] inside\nin request",
        "after\nin next",
    ];
    assert_eq!(messages(&out), expected, "{err}");
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
    let expected = [
        "[openReplaySession.id=7] of the visitor",
        "of nobody",
        "of nobody",
    ];
    assert_eq!(messages(&out), expected, "{err}");
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
