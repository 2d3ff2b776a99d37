//! What holds after a fork: a program of its own, since a fork copies the whole process.

#![cfg(unix)]
// libc's `fork` cannot be called otherwise
#![allow(unsafe_code)]

mod support;

use std::{io, thread, time::Duration};

use tracing::info;
use tracing_openreplay::json;
use tracing_subscriber::prelude::*;

use crate::support::{alone, diagnostics, records};

/// Calls `work` in a fork of this process, and waits until that ends.
fn in_a_fork(work: impl FnOnce()) {
    // SAFETY: the child only logs and ends; no other thread of the test program holds a lock that
    // it needs
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        work();
        // SAFETY: ends the process at once
        unsafe { libc::_exit(0) };
    }
    // SAFETY: without a place for the status
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

#[test]
fn the_process_of_a_record_is_the_one_that_logs() {
    let test = "the_process_of_a_record_is_the_one_that_logs";
    let run = || {
        let layer = json().with_process_id(true);
        tracing_subscriber::registry().with(layer).init();
        info!(pid = std::process::id(), "parent");
        in_a_fork(|| info!(pid = std::process::id(), "child"));
        info!(pid = std::process::id(), "parent");
    };
    let Some((out, err)) = alone(test, run) else {
        return;
    };
    let records = records(&out);
    assert_eq!(records.len(), 3, "{out}");
    for record in &records {
        assert!(record["process.pid"].is_u64());
        assert_eq!(record["process.pid"], record["fields"]["pid"], "{record}");
    }
    assert_ne!(records[1]["process.pid"], records[0]["process.pid"]);
    assert_eq!(diagnostics(&err), [""; 0]);
}

/// Takes no record.
struct Broken;

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_fork_reports_its_own_losses_though_no_record_passes_any_more() {
    let test = "a_fork_reports_its_own_losses_though_no_record_passes_any_more";
    let run = || {
        let layer = json().with_writer(|| Broken);
        tracing_subscriber::registry().with(layer).init();
        info!("parent");
        in_a_fork(|| {
            for _ in 0..3 {
                info!("child");
            }
            thread::sleep(Duration::from_secs(12));
        });
    };
    let Some((_, err)) = alone(test, run) else {
        return;
    };
    assert_eq!(
        diagnostics(&err),
        [
            "tracing-openreplay: lost 1 record(s): the writer failed: broken pipe; more are counted and reported every 10 s",
            "tracing-openreplay: lost 3 record(s): the writer failed",
        ]
    );
}
