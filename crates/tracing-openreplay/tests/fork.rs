//! Records after a fork. This test is a separate program, since a fork copies the whole process.

#![cfg(unix)]
// libc's `fork` is unsafe.
#![allow(unsafe_code)]

mod support;

use std::{io, thread, time::Duration};

use tracing::info;
use tracing_openreplay::json;
use tracing_subscriber::prelude::*;

use crate::support::{alone, diagnostics, records};

/// Calls `work` in a fork of this process, and waits until the fork exits.
fn in_a_fork(work: impl FnOnce()) {
    // SAFETY: the child only logs and exits, and no other thread of this program holds a lock that
    // the child needs.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        work();
        // SAFETY: this ends the process at once.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: the pointer for the status may be null.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

#[test]
fn a_record_has_the_id_of_the_process_that_logs() {
    let test = "a_record_has_the_id_of_the_process_that_logs";
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

/// A writer that always fails.
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
fn a_fork_reports_its_own_losses_and_none_of_its_parent() {
    let test = "a_fork_reports_its_own_losses_and_none_of_its_parent";
    let run = || {
        let layer = json().with_writer(|| Broken);
        tracing_subscriber::registry().with(layer).init();
        for _ in 0..3 {
            info!("parent");
        }
        in_a_fork(|| {
            for _ in 0..5 {
                info!("child");
            }
            // Both processes report what remains 10 seconds after their first loss.
            thread::sleep(Duration::from_secs(14));
        });
    };
    let Some((_, err)) = alone(test, run) else {
        return;
    };
    let mut diagnostics = diagnostics(&err);
    diagnostics.sort_unstable();
    assert_eq!(
        diagnostics,
        [
            "tracing-openreplay: lost 1 record: the writer failed: broken pipe; more are counted and reported every 10 s",
            "tracing-openreplay: lost 2 records: the writer failed",
            "tracing-openreplay: lost 5 records: the writer failed",
        ]
    );
}
