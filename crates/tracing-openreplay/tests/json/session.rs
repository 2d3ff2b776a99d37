//! Every record that a request causes has its session, however work leaves the request's task.

use std::time::Duration;

use futures_util::FutureExt as _;

use openreplay_session::{InCurrentSession as _, SessionId, in_current_session, scope, sync_scope};
use serde_json::Value;
use test_kit::Lines;
use tracing::{Instrument as _, info, info_span, instrument::WithSubscriber as _};
use tracing_openreplay::{SessionOnly, json};
use tracing_subscriber::{Registry, filter::LevelFilter, prelude::*};

use crate::{ID, capture};

/// Returns the records of a task that runs in a session, and of work that it spawns.
async fn in_a_session<F: Future>(task: F) -> Vec<Value> {
    let written = Lines::default();
    let writer = written.clone();
    let layer = json().with_writer(move || writer.clone());
    scope(SessionId::from(ID), task)
        .with_subscriber(Registry::default().with(layer))
        .await;
    written.records()
}

#[track_caller]
fn assert_in_session(records: &[Value], messages: &[&str]) {
    let expected: Vec<_> = messages
        .iter()
        .map(|text| format!("[openReplaySession.id={ID}] {text}"))
        .collect();
    let found: Vec<_> = records
        .iter()
        .map(|record| record["message"].as_str().unwrap())
        .collect();
    assert_eq!(found, expected);
    let id = Value::from(ID.to_string());
    assert!(
        records
            .iter()
            .all(|record| record["openReplaySession.id"] == id)
    );
}

#[tokio::test]
async fn a_spawned_task_in_the_current_span() {
    let records = in_a_session(async {
        let work = async { info!("spawned") };
        let span = info_span!("request");
        tokio::spawn(work.instrument(span).with_current_subscriber())
            .await
            .unwrap();
        // Instrumented with the current span, like `in_current_span`.
        async {
            let work = async { info!("spawned inside") }.in_current_span();
            tokio::spawn(work.with_current_subscriber()).await.unwrap();
        }
        .instrument(info_span!("request"))
        .await;
    })
    .await;
    assert_in_session(&records, &["spawned", "spawned inside"]);
}

#[tokio::test]
async fn a_spawned_task_in_the_current_session() {
    let records = in_a_session(async {
        let work = async { info!("spawned") }.in_current_session();
        tokio::spawn(work.with_current_subscriber()).await.unwrap();
    })
    .await;
    assert_in_session(&records, &["spawned"]);
}

#[tokio::test]
async fn blocking_work_and_a_thread() {
    let records = in_a_session(async {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let log = |text: &'static str| {
            let dispatch = dispatch.clone();
            move || tracing::dispatcher::with_default(&dispatch, || info!("{text}"))
        };
        tokio::task::spawn_blocking(in_current_session(log("blocking")))
            .await
            .unwrap();
        std::thread::spawn(in_current_session(log("thread")))
            .join()
            .unwrap();
        // With the span only.
        let span = info_span!("request");
        let by_span = log("blocking in a span");
        tokio::task::spawn_blocking(move || span.in_scope(by_span))
            .await
            .unwrap();
    })
    .await;
    // The span refers to the task's subscriber, so it can be entered on any thread.
    assert_in_session(&records, &["blocking", "thread", "blocking in a span"]);
}

/// A value that logs when it is dropped.
struct LogsOnDrop(&'static str);

impl Drop for LogsOnDrop {
    fn drop(&mut self) {
        info!("{} dropped", self.0);
    }
}

#[tokio::test]
async fn a_branch_dropped_by_select() {
    let records = in_a_session(async {
        let slow = async {
            let _guard = LogsOnDrop("branch");
            tokio::time::sleep(Duration::from_secs(3600)).await;
        };
        tokio::select! {
            biased;
            () = slow => unreachable!(),
            () = tokio::task::yield_now() => info!("faster"),
        }
    })
    .await;
    // `select!` runs the handler before it drops the other branch.
    let mut messages: Vec<_> = records
        .iter()
        .map(|record| record["message"].clone())
        .collect();
    messages.sort_by_key(ToString::to_string);
    let expected =
        ["branch dropped", "faster"].map(|text| format!("[openReplaySession.id={ID}] {text}"));
    assert_eq!(messages, expected);
}

#[tokio::test]
async fn a_task_dropped_before_completion() {
    let records = in_a_session(async {
        let work = async {
            let _guard = LogsOnDrop("task");
            std::future::pending::<()>().await;
        };
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let mut work = Box::pin(work.in_current_session());
        assert_eq!(work.as_mut().now_or_never(), None);
        // Outside the session and the task.
        std::thread::spawn(move || tracing::dispatcher::with_default(&dispatch, || drop(work)))
            .join()
            .unwrap();
    })
    .await;
    assert_in_session(&records, &["task dropped"]);
}

#[test]
fn an_explicit_parent() {
    let records = capture(json(), || {
        let span = sync_scope(SessionId::from(ID), || info_span!("request"));
        info!(parent: &span, "child");
        let child = info_span!(parent: &span, "child span");
        child.in_scope(|| info!("grandchild"));
        info!(parent: None, "orphan");
    });
    assert_in_session(&records[..2], &["child", "grandchild"]);
    assert_eq!(records[2]["message"], "orphan");
}

#[test]
fn with_all_spans_disabled_the_task_has_the_session() {
    let written = Lines::default();
    let writer = written.clone();
    let layer = json().with_writer(move || writer.clone());
    let subscriber = Registry::default().with(layer).with(LevelFilter::ERROR);
    tracing::subscriber::with_default(subscriber, || {
        sync_scope(SessionId::from(ID), || {
            let span = info_span!("request");
            assert!(span.is_disabled());
            span.in_scope(|| tracing::error!("failed"));
        });
    });
    assert_in_session(&written.records(), &["failed"]);
}

#[test]
fn a_layer_that_omits_spans_still_finds_the_session_of_spans() {
    let records = capture(json().with_spans(false), || {
        let span = sync_scope(SessionId::from(ID), || info_span!("request"));
        span.in_scope(|| info!("by the span"));
    });
    assert_in_session(&records, &["by the span"]);
    assert_eq!(records[0].get("spans"), None);
}

#[test]
fn the_filter_accepts_only_records_of_sessions() {
    let written = Lines::default();
    let writer = written.clone();
    let layer = json()
        .with_writer(move || writer.clone())
        .with_filter(SessionOnly);
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        info!("none");
        let span = sync_scope(SessionId::from(ID), || info_span!("request"));
        span.in_scope(|| info!("by the span"));
    });
    assert_in_session(&written.records(), &["by the span"]);
}

#[test]
fn two_layers_in_one_subscriber_agree() {
    let (first, second) = (Lines::default(), Lines::default());
    let (to_first, to_second) = (first.clone(), second.clone());
    let subscriber = Registry::default()
        .with(json().with_writer(move || to_first.clone()))
        .with(
            json()
                .with_writer(move || to_second.clone())
                .with_service_name("second"),
        );
    tracing::subscriber::with_default(subscriber, || {
        let span = sync_scope(SessionId::from(ID), || info_span!("request", a = 1));
        span.record("a", 2);
        span.in_scope(|| info!("x"));
    });
    for written in [first, second] {
        let records = written.records();
        assert_in_session(&records, &["x"]);
        assert_eq!(
            records[0]["spans"],
            serde_json::json!([{"name": "request", "fields": {"a": 2}}])
        );
    }
}

#[test]
fn the_record_of_a_closed_span_bypasses_the_filter() {
    let written = Lines::default();
    let writer = written.clone();
    let layer = json()
        .with_writer(move || writer.clone())
        .with_span_close(true)
        .with_filter(SessionOnly);
    tracing::subscriber::with_default(Registry::default().with(layer), || {
        info_span!("job").in_scope(|| info!("outside"));
    });
    let records = written.records();
    let messages: Vec<_> = records.iter().map(|record| &record["message"]).collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].as_str().unwrap().starts_with("job closed "));
}
