//! A request without a session leaves its method, path and request id out of every session, also
//! if it responds with the error of a session.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, http::Request, routing};
use openreplay_session::{scope, sync_scope, without_session};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
use tracing::info_span;

use crate::{Logged, WRITTEN, logged_in, new_session, without_duration};

const ORDERS: [Order; 2] = [Order::LogInside, Order::LogOutside];

#[derive(Clone, Copy, Debug)]
enum Order {
    LogInside,
    LogOutside,
}

impl Order {
    fn layers(self, app: Router) -> Router {
        match self {
            Self::LogInside => app.layer(RequestLogLayer::new()).layer(SessionLayer::new()),
            Self::LogOutside => app.layer(SessionLayer::new()).layer(RequestLogLayer::new()),
        }
    }
}

/// Sends a request without a session to a handler that fails.
async fn respond<F>(
    order: Order,
    path: &str,
    handler: impl Fn() -> F + Clone + Send + Sync + 'static,
) where
    F: Future<Output = Failure> + Send,
{
    new_session(); // starts the log
    let app = Router::new().route(path, routing::get(handler));
    let request = Request::get(path).header("x-request-id", "r-2");
    let request = request.body(Body::empty()).unwrap();
    let response = order.layers(app).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 500);
}

/// The messages of the records that name the request, none of which has a session.
#[track_caller]
fn records_of_request(path: &str) -> Vec<String> {
    let text = WRITTEN.text();
    let records = text.lines().map(integration_tests::json::object);
    let own = records.filter(|record| {
        let message = record["message"].as_str().unwrap();
        message.contains(&format!("GET {path} "))
    });
    let messages = own.map(|record| {
        assert_eq!(record.get("openReplaySession.id"), None, "{record}");
        without_duration(record["message"].as_str().unwrap(), "")
    });
    messages.collect()
}

/// The only record of a session, with its spans.
#[track_caller]
fn only(records: &[Logged]) -> (&str, &[Value]) {
    let [record] = records else {
        panic!("not one record: {records:#?}");
    };
    (&record.message, &record.spans)
}

#[tokio::test]
async fn the_error_of_another_request_stays_in_its_session_alone() {
    for (order, path) in ORDERS.into_iter().zip(["/other/inside", "/other/outside"]) {
        for in_a_span in [true, false] {
            let path = format!("{path}/{in_a_span}");
            let first = new_session();
            let failure = sync_scope(first, || {
                if in_a_span {
                    info_span!("request", user = "first").in_scope(|| Failure::new("no price"))
                } else {
                    Failure::new("no price")
                }
            });
            let shared = Arc::new(Mutex::new(Some(failure)));
            respond(order, &path, move || {
                let failure = shared.lock().unwrap().take().unwrap();
                async { failure }
            })
            .await;

            let span = json!({ "name": "request", "fields": { "user": "first" } });
            let spans: Vec<_> = in_a_span.then_some(span).into_iter().collect();
            assert_eq!(
                only(&logged_in(first)),
                ("request failed error=no price status=500", &*spans),
                "{order:?}"
            );
            assert_eq!(
                records_of_request(&path),
                [format!(
                    "GET {path} 500 duration_ms=_ request_id=r-2 route={path}"
                )],
                "{order:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_error_of_another_request_stays_in_its_session_if_the_request_left_all_sessions() {
    let (first, path) = (new_session(), "/left");
    let failure = sync_scope(first, || Failure::new("no price"));
    let shared = Arc::new(Mutex::new(Some(failure)));
    without_session(respond(Order::LogInside, path, move || {
        let failure = shared.lock().unwrap().take().unwrap();
        async { failure }
    }))
    .await;
    assert_eq!(
        only(&logged_in(first)),
        ("request failed error=no price status=500", &[][..])
    );
    assert_eq!(
        records_of_request(path),
        ["GET /left 500 duration_ms=_ request_id=r-2 route=/left"]
    );
}

#[tokio::test]
async fn an_error_of_work_that_a_handler_ran_in_a_session_is_the_only_record_there() {
    for (order, path) in ORDERS.into_iter().zip(["/scope/inside", "/scope/outside"]) {
        let session = new_session();
        let work = move || scope(session, async { Failure::new("no price") });
        respond(order, path, work).await;

        let records = logged_in(session);
        let (message, _) = only(&records);
        assert_eq!(
            message, "request failed error=no price status=500",
            "{order:?}"
        );
        let messages = records_of_request(path);
        assert_eq!(
            messages,
            [format!(
                "GET {path} 500 duration_ms=_ request_id=r-2 route={path}"
            )],
            "{order:?}"
        );
    }
}

#[tokio::test]
async fn an_error_of_no_session_is_in_the_record_of_its_request() {
    for (order, path) in ORDERS.into_iter().zip(["/none/inside", "/none/outside"]) {
        respond(order, path, || async { Failure::new("no price") }).await;
        let fields = format!("error=no price duration_ms=_ request_id=r-2 route={path}");
        assert_eq!(
            records_of_request(path),
            [format!("GET {path} 500 {fields}")],
            "{order:?}"
        );
    }
}
