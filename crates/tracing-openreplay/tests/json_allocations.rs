//! Records do not allocate. The allocator of this program counts allocations.

use std::{error::Error, fmt, io};

use allocation_counter::measure;
use openreplay_session::{SessionId, sync_scope};
use tracing::{error, info, info_span};
use tracing_openreplay::json;
use tracing_subscriber::{Registry, prelude::*};

#[derive(Debug)]
struct Failure(fmt::Error);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer")
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Logs one event with each kind of value, and the same event again after some that make the
/// buffers grow.
#[track_caller]
fn assert_no_allocation(log: impl Fn()) {
    for _ in 0..3 {
        log();
    }
    let allocations = measure(|| {
        for _ in 0..100 {
            log();
        }
    });
    assert_eq!(allocations.count_total, 0);
}

fn log() {
    let failure = Failure(fmt::Error);
    info!("Endpoint accessed");
    info!(
        user = "anna b",
        status = 200,
        ratio = 0.25,
        big = u128::MAX,
        yes = true,
        nan = f64::NAN,
        "text \"quoted\" {}",
        7
    );
    info!(display = %failure, debug = ?failure, bytes = &b"ab"[..], lines = %"a\nb");
    error!(error = &failure as &dyn Error, "Error: it failed");
}

#[test]
fn a_record_allocates_nothing() {
    for fields_in_message in [true, false] {
        let layer = json()
            .with_fields_in_message(fields_in_message)
            .with_writer(io::sink);
        let subscriber = Registry::default().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            assert_no_allocation(log);
            sync_scope(SessionId::from(u64::MAX), || {
                assert_no_allocation(log);
                let _a = info_span!("connection", peer = "127.0.0.1", port = 80).entered();
                assert_no_allocation(log);
                let _b = info_span!("request", path = "/", attempt = 1).entered();
                let _c = info_span!("query", table = "users").entered();
                assert_no_allocation(log);
            });
            // Outside the task, with the session of the spans.
            let span = sync_scope(SessionId::from(u64::MAX), || {
                info_span!("request", path = "/")
            });
            span.in_scope(|| assert_no_allocation(log));
        });
    }
}
