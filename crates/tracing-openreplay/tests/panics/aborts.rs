//! Panics that end the process.

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
