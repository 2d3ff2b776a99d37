//! A worker that the first request starts, and which works for all that follow.

use std::sync::OnceLock;

use axum::{Router, body::Body, extract::State, http::Request, routing::get};
use openreplay_session::{InCurrentSession as _, SessionId, current, scope, without_session};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt as _;
use tower_http::trace::TraceLayer;
use tower_openreplay::SessionLayer;
use tracing::{Instrument as _, info, info_span};

use crate::log;

/// The requesting session, and the channel that is notified at the end.
type Job = (Option<SessionId>, oneshot::Sender<()>);

/// Starts a worker, in whatever way is tested.
type Start = fn(mpsc::Receiver<Job>);

#[derive(Clone)]
struct Pool {
    worker: &'static OnceLock<mpsc::Sender<Job>>,
    start: Start,
}

async fn handler(State(pool): State<Pool>) {
    let worker = pool.worker.get_or_init(|| {
        let (sender, receiver) = mpsc::channel(1);
        (pool.start)(receiver);
        sender
    });
    let (done, is_done) = oneshot::channel();
    worker.send((current(), done)).await.unwrap();
    is_done.await.unwrap();
    info!("handled");
}

/// What a worker does: a record of its own, one of the job, and one that the job leaves behind.
async fn work(mut jobs: mpsc::Receiver<Job>) {
    while let Some((session, done)) = jobs.recv().await {
        info!("received");
        let job = async {
            info!("working");
            let span = info_span!("later");
            tokio::spawn(async { info!("left behind") }.instrument(span))
                .await
                .unwrap();
        };
        scope(session, job.instrument(info_span!("job"))).await;
        info!("waiting");
        done.send(()).unwrap();
    }
}

/// Three visitors, one after the other, and their records.
async fn serves_three(start: Start) {
    let logged = log("info");
    let pool = Pool {
        worker: Box::leak(Box::default()),
        start,
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(TraceLayer::new_for_http().make_span_with(|_: &Request<Body>| info_span!("request")))
        .layer(SessionLayer::new())
        .with_state(pool);
    for id in ["1", "2", "3"] {
        let request = Request::get("/").header("openReplaySession.id", id);
        let request = request.body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap();
    }
    let [one, two, three] = ["1", "2", "3"].map(|id| Some(id.to_owned()));
    for of_nobody in ["received", "waiting"] {
        assert_eq!(
            logged.sessions(of_nobody),
            [None, None, None],
            "{of_nobody}"
        );
    }
    let each = [one, two, three];
    for of_each in ["handled", "working"] {
        assert_eq!(logged.sessions(of_each), each, "{of_each}");
    }
    // of the job's session or of none, never of another
    let left_behind = logged.sessions("left behind");
    assert_eq!(left_behind.len(), each.len());
    for (found, right) in left_behind.iter().zip(&each) {
        assert!(
            found.is_none() || found == right,
            "{found:?}, not {right:?}"
        );
    }
}

#[tokio::test]
async fn with_a_span_that_is_an_explicit_root() {
    serves_three(|jobs| {
        tokio::spawn(work(jobs).instrument(info_span!(parent: None, "worker")));
    })
    .await;
}

#[tokio::test]
async fn with_a_span_that_is_created_inside_an_explicit_root() {
    #[tracing::instrument(parent = None, skip_all)]
    fn start(jobs: mpsc::Receiver<Job>) {
        tokio::spawn(work(jobs).instrument(info_span!("worker")));
    }
    serves_three(start).await;
}

#[tokio::test]
async fn with_a_span_that_names_an_explicit_root_as_its_parent() {
    serves_three(|jobs| {
        let pool = info_span!(parent: None, "pool");
        tokio::spawn(work(jobs).instrument(info_span!(parent: &pool, "worker")));
    })
    .await;
}

#[tokio::test]
async fn by_a_library_that_takes_the_current_span_along_called_in_an_explicit_root() {
    serves_three(|jobs| {
        let client = info_span!(parent: None, "client");
        client.in_scope(|| tokio::spawn(work(jobs).in_current_span()));
    })
    .await;
}

#[tokio::test]
async fn in_a_task_whose_span_is_created_inside_it() {
    serves_three(|jobs| {
        tokio::spawn(async { work(jobs).instrument(info_span!("worker")).await });
    })
    .await;
}

#[tokio::test]
async fn without_the_session_but_in_the_span_of_the_request() {
    serves_three(|jobs| {
        tokio::spawn(without_session(work(jobs)).in_current_span());
    })
    .await;
}

#[tokio::test]
async fn with_a_span_that_is_created_without_the_session_in_that_of_the_request() {
    serves_three(|jobs| {
        let span = openreplay_session::sync_without_session(|| info_span!("worker"));
        tokio::spawn(work(jobs).instrument(span));
    })
    .await;
}

#[tokio::test]
async fn with_all_that_is_current_where_the_session_was_left() {
    serves_three(|jobs| {
        openreplay_session::sync_without_session(|| {
            tokio::spawn(work(jobs).in_current_session().in_current_span());
        });
    })
    .await;
}

/// A span with `parent: None` is a boundary only while it is enabled, and here it is not.
#[tokio::test]
async fn without_the_session_under_a_level_that_switches_the_workers_span_off() {
    let logged = log("warn");
    let worker = || {
        let work = async { tracing::warn!("working") };
        without_session(work.instrument(info_span!(parent: None, "worker")))
    };
    let request = async {
        tokio::spawn(worker().in_current_span()).await.unwrap();
        tracing::warn!("handled");
    };
    let request = async { request.instrument(tracing::error_span!("request")).await };
    scope(SessionId::from(1), request).await;
    assert_eq!(logged.sessions("working"), [None]);
    assert_eq!(logged.sessions("handled"), [Some("1".to_owned())]);
}

/// What `futures::future::Shared` does: whichever request comes first polls it.
#[tokio::test]
async fn a_future_that_requests_share_leaves_the_session_inside() {
    let logged = log("info");
    let mut work = Box::pin(without_session(async {
        info!("working");
        tokio::task::yield_now().await;
        info!("working");
    }));
    for id in [1_u64, 2] {
        let poll = std::future::poll_fn(|cx| {
            let _ = work.as_mut().poll(cx);
            std::task::Poll::Ready(())
        });
        let request = async { poll.instrument(info_span!("request")).await };
        scope(SessionId::from(id), request).await;
    }
    assert_eq!(logged.sessions("working"), [None, None]);
}
