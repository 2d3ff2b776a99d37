//! Which code runs in a session, and which does not.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use openreplay_session::{
    InCurrentSession as _, Scope, SessionId, current, in_current_session, scope, sync_scope,
    sync_without_session, without_session,
};

fn one() -> SessionId {
    SessionId::from(1)
}

fn two() -> SessionId {
    SessionId::from(2)
}

/// Records the session in which it is dropped.
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
fn none_keeps_the_session_of_the_caller() {
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
        () = waits => unreachable!("the future never completes"),
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

#[test]
fn leaving_a_session_hides_it_until_the_closure_ends() {
    assert_eq!(Scope::current(), Scope::Unset);
    sync_scope(one(), || {
        sync_without_session(|| {
            assert_eq!((current(), Scope::current()), (None, Scope::NoSession));
            // Entering no scope keeps `NoSession`.
            sync_scope(None, || assert_eq!(Scope::current(), Scope::NoSession));
            sync_scope(Scope::Unset, || {
                assert_eq!(Scope::current(), Scope::NoSession);
            });
            // A worker enters the session of each job.
            sync_scope(two(), || assert_eq!(current(), Some(two())));
            assert_eq!(Scope::current(), Scope::NoSession);
        });
        assert_eq!(Scope::current(), Scope::Session(one()));
    });
    assert_eq!(Scope::current(), Scope::Unset);
}

#[tokio::test]
async fn a_future_without_session_is_polled_and_dropped_outside_any_session() {
    let (finished, seen_finished) = on_drop();
    let (cancelled, seen_cancelled) = on_drop();
    scope(one(), async {
        without_session(async move {
            let _finished = finished;
            assert_eq!(Scope::current(), Scope::NoSession);
            tokio::task::yield_now().await;
            assert_eq!(Scope::current(), Scope::NoSession);
            scope(two(), async { assert_eq!(current(), Some(two())) }).await;
        })
        .await;
        drop(without_session(async move { drop(cancelled) }));
        assert_eq!(current(), Some(one()));
    })
    .await;
    assert_eq!(
        (seen_finished(), seen_cancelled()),
        (vec![None], vec![None])
    );
}

#[tokio::test]
async fn work_spawned_without_session_runs_in_no_session() {
    let (task, blocking) = scope(
        one(),
        without_session(async {
            (
                tokio::spawn(async { Scope::current() }.in_current_session()),
                tokio::task::spawn_blocking(in_current_session(Scope::current)),
            )
        }),
    )
    .await;
    assert_eq!(task.await.unwrap(), Scope::NoSession);
    assert_eq!(blocking.await.unwrap(), Scope::NoSession);
}

#[tokio::test]
async fn work_without_a_session_does_not_get_the_session_of_the_task_that_runs_it() {
    // A thread of a pool may run such work while it waits within a job of a session.
    let future = async { current() }.in_current_session();
    let closure = in_current_session(current);
    assert_eq!(future.session(), None);
    assert_eq!(scope(two(), async {}).session(), Some(two()));
    assert_eq!(scope(two(), future).await, None);
    assert_eq!(sync_scope(two(), closure), None);
}

#[test]
fn an_executor_driven_in_a_session_does_not_change_the_session_that_work_captured() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let bare = runtime.spawn(async { current() });
    let taken = runtime.spawn(async { current() }.in_current_session());
    let (bare, taken) = sync_scope(one(), || {
        runtime.block_on(async { (bare.await.unwrap(), taken.await.unwrap()) })
    });
    assert_eq!(taken, None);
    // The guide warns about this: tasks that captured no scope run within `block_on`, so they see
    // its session.
    assert_eq!(bare, Some(one()));
}

#[tokio::test]
async fn binding_a_join_handle_does_not_bind_its_task() {
    let seen = scope(one(), async {
        tokio::spawn(async { current() }).in_current_session().await
    });
    assert_eq!(seen.await.unwrap(), None);
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
