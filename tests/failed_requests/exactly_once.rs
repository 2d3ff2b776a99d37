//! Each error is logged once, whatever the layers and their order.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    middleware::{Next, from_fn, map_response},
    response::Response,
    routing::{self, MethodRouter},
};
use openreplay_session::SessionId;
use tower::ServiceExt as _;
use tower_http::trace::TraceLayer;
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
use tracing::{Instrument as _, info_span};

use crate::{Logged, logged_in, new_session};

fn router() -> Router {
    Router::new().route(
        "/err",
        routing::get(|| async { Err::<(), _>(Failure::new("no price")) }),
    )
}

/// The records of a request for `/err`. The response is held until they are read if `hold` is set.
async fn records_of(app: Router, hold: bool) -> Vec<Logged> {
    let session = new_session();
    let request = Request::get("/err").header("openReplaySession.id", session.as_str());
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let held = hold.then_some(response);
    let records = logged_in(session);
    drop(held);
    assert_eq!(
        logged_in(session),
        records,
        "another record came with the drop of the response"
    );
    records
}

/// The first lines of the records that name the error.
fn with_error(records: &[Logged]) -> Vec<&str> {
    let named = records
        .iter()
        .filter(|record| record.message.contains("error=no price"));
    named.map(Logged::first_line).collect()
}

#[tokio::test]
async fn request_log_names_the_error_inside_of_the_session() {
    let app = router()
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    for hold in [true, false] {
        let records = records_of(app.clone(), hold).await;
        assert_eq!(
            with_error(&records),
            ["GET /err 500 error=no price duration_ms=_ route=/err"],
            "{hold}"
        );
        assert_eq!(records.len(), 1, "{hold}");
    }
}

#[tokio::test]
async fn request_log_outside_of_the_session_leaves_the_error_there() {
    let app = router()
        .layer(SessionLayer::new())
        .layer(RequestLogLayer::new());
    for hold in [true, false] {
        let records = records_of(app.clone(), hold).await;
        assert_eq!(
            with_error(&records),
            ["request failed error=no price status=500"],
            "{hold}"
        );
        assert_eq!(records.len(), 1, "{hold}");
        assert_eq!(records[0].spans[0]["fields"]["path"], "/err", "{hold}");
    }
}

#[tokio::test]
async fn the_session_layer_logs_what_no_request_log_does() {
    let alone = router().layer(SessionLayer::new());
    let traced = router()
        .layer(TraceLayer::new_for_http())
        .layer(SessionLayer::new());
    let excluded = router()
        .layer(RequestLogLayer::new().without_paths(["/err"]))
        .layer(SessionLayer::new());
    for (name, app) in [("alone", alone), ("traced", traced), ("excluded", excluded)] {
        let records = records_of(app, true).await;
        assert_eq!(
            with_error(&records),
            ["request failed error=no price status=500"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_error_whose_response_is_replaced_is_logged_in_its_session() {
    let replaced = || map_response(|_: Response| async { StatusCode::IM_A_TEAPOT });
    let expected = ["request failed error=no price status=500"];

    let inside = router().layer(replaced()).layer(SessionLayer::new());
    assert_eq!(with_error(&records_of(inside, true).await), expected);

    let below = router()
        .layer(replaced())
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let records = records_of(below, true).await;
    assert_eq!(with_error(&records), expected);
    assert_eq!(
        records[0].spans[0]["fields"]["path"], "/err",
        "in the span of its request"
    );
    assert_eq!(records[1].message, "GET /err 418 duration_ms=_ route=/err");
}

#[tokio::test]
async fn an_error_that_is_dropped_elsewhere_is_logged_in_its_own_session() {
    let (first, second) = (new_session(), new_session());
    let failure = openreplay_session::sync_scope(first, || Failure::new("no price"));
    openreplay_session::sync_scope(second, || drop(failure));
    assert_eq!(
        with_error(&logged_in(first)),
        ["request failed error=no price status=500"]
    );
    assert_eq!(logged_in(second), []);
}

/// A route whose handler responds with an error of another request.
fn that_responds_with_a_failure_of(session: SessionId) -> MethodRouter {
    let failure = openreplay_session::sync_scope(session, || {
        info_span!("request", user = "first").in_scope(|| Failure::new("no price"))
    });
    let shared = Arc::new(Mutex::new(Some(failure)));
    routing::get(move || async move { Err::<(), _>(shared.lock().unwrap().take().unwrap()) })
}

#[tokio::test]
async fn an_error_that_another_request_responds_with_carries_nothing_of_the_first() {
    let (first, second) = (new_session(), new_session());
    let app = Router::new()
        .route("/err", that_responds_with_a_failure_of(first))
        .layer(SessionLayer::new());
    let request = Request::get("/err").header("openReplaySession.id", second.as_str());
    let response = app.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.await.unwrap().status(), 500);

    assert_eq!(logged_in(first), []);
    let records = logged_in(second);
    assert_eq!(
        with_error(&records),
        ["request failed error=no price status=500"]
    );
    assert_eq!(
        records[0].spans,
        Vec::<serde_json::Value>::new(),
        "the span of the first request"
    );
}

#[tokio::test]
async fn an_error_of_another_request_is_logged_for_the_one_whose_response_is_replaced() {
    let (first, second) = (new_session(), new_session());
    let app = Router::new()
        .route("/err", that_responds_with_a_failure_of(first))
        .layer(map_response(|_: Response| async {
            StatusCode::IM_A_TEAPOT
        }))
        .layer(SessionLayer::new());
    let request = Request::get("/err").header("openReplaySession.id", second.as_str());
    let response = app.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.await.unwrap().status(), 418);

    assert_eq!(logged_in(first), []);
    let records = logged_in(second);
    assert_eq!(
        with_error(&records),
        ["request failed error=no price status=500"]
    );
    assert_eq!(records[0].spans, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn an_error_that_a_request_without_a_session_responds_with_carries_nothing_of_that_request() {
    let first = new_session();
    let app = Router::new()
        .route("/err", that_responds_with_a_failure_of(first))
        .layer(SessionLayer::new());
    let request = Request::get("/err").body(Body::empty()).unwrap();
    let second = info_span!("request", user = "second");
    let response = app.oneshot(request).instrument(second).await.unwrap();
    assert_eq!(response.status(), 500);

    let records = logged_in(first);
    assert_eq!(
        with_error(&records),
        ["request failed error=no price status=500"]
    );
    let span = serde_json::json!({ "name": "request", "fields": { "user": "first" } });
    assert_eq!(records[0].spans, [span]);
}

#[tokio::test]
async fn an_error_of_a_handler_in_a_task_of_its_own_is_logged_in_the_session_of_its_response() {
    let spawned = || {
        from_fn(|request: axum::extract::Request, next: Next| async {
            tokio::spawn(next.run(request)).await.unwrap()
        })
    };
    let alone = router().layer(spawned()).layer(SessionLayer::new());
    let records = records_of(alone, true).await;
    assert_eq!(
        with_error(&records),
        ["request failed error=no price status=500"]
    );

    let logged = router()
        .layer(spawned())
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let records = records_of(logged, true).await;
    assert_eq!(
        with_error(&records),
        ["GET /err 500 error=no price duration_ms=_ route=/err"]
    );
}

#[tokio::test]
async fn an_error_of_work_that_kept_only_the_span_is_logged_in_the_session_of_the_span() {
    let (session, other) = (new_session(), new_session());
    let task = openreplay_session::sync_scope(session, || {
        let work = async { Failure::new("no price") };
        tokio::spawn(work.instrument(info_span!("request")))
    });
    let failure = task.await.unwrap();
    openreplay_session::sync_scope(other, || drop(failure));
    assert_eq!(
        with_error(&logged_in(session)),
        ["request failed error=no price status=500"]
    );
    assert_eq!(logged_in(other), []);
}

#[tokio::test]
async fn nested_layers_log_a_request_once() {
    let app = router()
        .layer(RequestLogLayer::new())
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let records = records_of(app, true).await;
    assert_eq!(
        with_error(&records),
        ["GET /err 500 error=no price duration_ms=_ route=/err"]
    );
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].spans.len(), 1);
}

#[tokio::test]
async fn the_status_that_the_client_gets_decides_on_the_level() {
    let conflict = || async { (StatusCode::CONFLICT, Failure::new("no price")) };
    let app = || Router::new().route("/err", routing::get(conflict));
    let alone = records_of(app().layer(SessionLayer::new()), true).await;
    assert_eq!(alone[0].level, "info");
    assert_eq!(
        alone[0].message,
        "request rejected error=no price status=409"
    );
    let logged = app()
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    assert_eq!(records_of(logged, true).await[0].level, "info");
}

#[tokio::test]
async fn an_error_outside_of_a_session_stays_there() {
    let session = new_session();
    let failure = Failure::new("error of no session");
    openreplay_session::sync_scope(session, || drop(failure));
    assert_eq!(logged_in(session), []);
    assert!(
        crate::WRITTEN
            .text()
            .contains("\"request failed error=error of no session status=500\"")
    );
}

#[tokio::test]
async fn a_second_error_on_one_response_does_not_lose_the_first() {
    let twice = || async {
        Failure::new("no stock")
            .attach_to(Failure::new("no price").attach_to(Response::new(Body::empty())))
    };
    let app = Router::new()
        .route("/err", routing::get(twice))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let records = records_of(app, true).await;
    let lines: Vec<_> = records.iter().map(Logged::first_line).collect();
    assert_eq!(
        lines,
        [
            "request rejected error=no price status=200",
            "GET /err 200 error=no stock duration_ms=_ route=/err",
        ]
    );
}
