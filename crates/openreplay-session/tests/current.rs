//! Where the current session is, and where it is not.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use openreplay_session::{
    InCurrentSession as _, SessionId, current, in_current_session, scope, sync_scope,
};

fn one() -> SessionId {
    SessionId::from(1)
}

fn two() -> SessionId {
    SessionId::from(2)
}

/// Notes the session that it is dropped in.
struct OnDrop(Arc<Mutex<Vec<Option<SessionId>>>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(current());
    }
}

fn on_drop() -> (OnDrop, impl Fn() -> Vec<Option<SessionId>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let reader = seen.clone();
    (OnDrop(seen), move || reader.lock().unwrap().clone())
}

#[test]
fn an_inner_scope_hides_the_outer_one_until_it_ends() {
    assert_eq!(current(), None);
    sync_scope(one(), || {
        sync_scope(two(), || assert_eq!(current(), Some(two())));
        assert_eq!(current(), Some(one()));
    });
    assert_eq!(current(), None);
}

#[test]
fn no_session_leaves_the_session_of_the_caller() {
    sync_scope(one(), || {
        sync_scope(None, || assert_eq!(current(), Some(one())));
    });
    sync_scope(None, || assert_eq!(current(), None));
}

#[test]
fn a_panic_ends_the_scope() {
    let panic = std::panic::catch_unwind(|| sync_scope(one(), || panic!("on purpose")));
    assert!(panic.is_err());
    assert_eq!(current(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_poll_of_a_future_is_in_its_session_and_no_other() {
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let id = SessionId::from(number);
            tokio::spawn(scope(id, async move {
                for _ in 0..20 {
                    assert_eq!(current(), Some(id));
                    tokio::task::yield_now().await;
                }
            }))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(current(), None);
}

#[tokio::test]
async fn a_finished_future_is_dropped_in_its_session() {
    let (guard, seen) = on_drop();
    scope(one(), async move {
        let _guard = guard;
        tokio::task::yield_now().await;
    })
    .await;
    assert_eq!(seen(), [Some(one())]);
}

#[tokio::test]
async fn a_cancelled_future_is_dropped_in_its_session() {
    let (guard, seen) = on_drop();
    let waits = scope(one(), async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    tokio::select! {
        biased;
        () = waits => unreachable!("it waits for ever"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(seen(), [Some(one())]);
    assert_eq!(current(), None);
}

#[test]
fn a_future_that_was_never_polled_is_dropped_in_its_session() {
    let (guard, seen) = on_drop();
    drop(scope(one(), async move { drop(guard) }));
    assert_eq!(seen(), [Some(one())]);
}

#[test]
fn a_future_that_panics_is_dropped_in_its_session() {
    let (guard, seen) = on_drop();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut future = pin!(scope(one(), async move {
            let _guard = guard;
            panic!("on purpose");
        }));
        let _: Poll<()> = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
    }));
    assert!(panic.is_err());
    assert_eq!(seen(), [Some(one())]);
    assert_eq!(current(), None);
}

#[tokio::test]
async fn spawned_work_takes_the_session_along() {
    let seen = scope(one(), async {
        let task = tokio::spawn(async { current() }.in_current_session());
        let blocking = tokio::task::spawn_blocking(in_current_session(current));
        let thread = std::thread::spawn(in_current_session(current));
        let bare = tokio::spawn(async { current() });
        [
            task.await.unwrap(),
            blocking.await.unwrap(),
            thread.join().unwrap(),
            bare.await.unwrap(),
        ]
    })
    .await;
    assert_eq!(seen, [Some(one()), Some(one()), Some(one()), None]);
}

#[tokio::test]
async fn what_was_made_outside_a_session_runs_in_that_of_its_caller() {
    let future = async { current() }.in_current_session();
    let closure = in_current_session(current);
    assert_eq!(future.session(), None);
    assert_eq!(scope(two(), future).await, Some(two()));
    assert_eq!(sync_scope(two(), closure), Some(two()));
}

#[test]
fn a_closure_is_dropped_in_its_session_whether_it_ran_or_not() {
    for runs in [true, false] {
        let (guard, seen) = on_drop();
        let closure = sync_scope(one(), || in_current_session(move || drop(guard)));
        if runs {
            closure();
        } else {
            drop(closure);
        }
        assert_eq!(seen(), [Some(one())], "runs: {runs}");
    }
}
