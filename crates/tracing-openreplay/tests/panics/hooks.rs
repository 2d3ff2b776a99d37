//! Other panic hooks.

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
