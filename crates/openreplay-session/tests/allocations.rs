//! Parsing and scopes do not allocate. Allocations are counted per thread, so tests can run in
//! parallel.

use std::{
    future::ready,
    hint::black_box,
    pin::pin,
    task::{Context, Waker},
};

use openreplay_session::{
    InCurrentSession as _, SessionId, current, in_current_session, scope, sync_scope,
    sync_without_session, without_session,
};

#[track_caller]
fn allocates_nothing(f: impl Fn()) {
    // The first call may initialise the thread's storage.
    f();
    let info = allocation_counter::measure(|| {
        for _ in 0..100 {
            f();
        }
    });
    assert_eq!((info.count_total, info.bytes_total), (0, 0));
}

fn poll(future: impl Future) {
    assert!(
        pin!(future)
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    );
}

#[test]
fn parsing_allocates_nothing() {
    allocates_nothing(|| {
        for bytes in [
            &b"4950498349085463837"[..],
            &[b'z'; 64],
            b"undefined",
            b"a\nb",
            &[b'z'; 1000],
        ] {
            let _ = black_box(SessionId::try_from(black_box(bytes)));
        }
        for token in [
            "11m0l7dhxvfh9.1c.mr3k5wxs.3xYqTdn",
            "11m0l7dhxvfh9",
            "zzzzzzzzzzzzzzz.1.1.a",
        ] {
            let _ = black_box(SessionId::from_token(black_box(token)));
        }
        let id = black_box(SessionId::from(u64::MAX));
        assert_eq!(id.as_u64(), Some(u64::MAX));
    });
}

#[test]
fn the_current_session_allocates_nothing() {
    let id = SessionId::from(42);
    allocates_nothing(|| {
        assert_eq!(current(), None);
        sync_scope(id, || {
            assert_eq!(current(), Some(id));
            poll(async { assert_eq!(current(), Some(id)) }.in_current_session());
            in_current_session(|| assert_eq!(current(), Some(id)))();
            sync_without_session(|| assert_eq!(current(), None));
            poll(without_session(async { assert_eq!(current(), None) }));
        });
        poll(scope(id, ready(())));
        drop(scope(id, ready(())));
    });
}
