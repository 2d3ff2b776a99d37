//! What holds after a fork: a program of its own, since a fork copies the whole process.

#![cfg(unix)]
// libc's `fork` cannot be called otherwise
#![allow(unsafe_code)]

mod support;

use tracing::info;
use tracing_openreplay::json;
use tracing_subscriber::prelude::*;

use crate::support::{alone, records, said};

#[test]
fn the_process_of_a_record_is_the_one_that_logs() {
    let test = "the_process_of_a_record_is_the_one_that_logs";
    let run = || {
        let layer = json().with_process_id(true);
        tracing_subscriber::registry().with(layer).init();
        info!(pid = std::process::id(), "parent");
        // SAFETY: the child only logs and ends; no other thread of the test program holds a lock
        // that it needs
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            info!(pid = std::process::id(), "child");
            // SAFETY: ends the process at once
            unsafe { libc::_exit(0) };
        }
        // SAFETY: without a place for the status
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
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
    assert_eq!(said(&err), [""; 0]);
}
