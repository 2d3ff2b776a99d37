//! The options of `RequestLogLayer`.

use axum::{Router, body::Body, http::Request, routing};
use tower::ServiceExt as _;
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};
use tracing::Level;

use crate::{logged_in, new_session};

/// Level and first word of each record of a request.
async fn records(layer: RequestLogLayer, path: &str) -> Vec<(String, String)> {
    let fails = || async { Err::<(), _>(Failure::new("no price")) };
    let rejects = || async {
        let status = axum::http::StatusCode::CONFLICT;
        Err::<(), _>(Failure::new("sold out").with_status(status))
    };
    let logs = || async { tracing::info!("checked") };
    let app = Router::new()
        .route("/ok", routing::get(|| async {}))
        .route("/err", routing::get(fails))
        .route("/rejected", routing::get(rejects))
        .route("/health", routing::get(logs))
        .layer(layer)
        .layer(SessionLayer::new());
    let session = new_session();
    let request = Request::get(path).header("openReplaySession.id", session.as_str());
    app.oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let records = logged_in(session).into_iter();
    records
        .map(|records| {
            let message = records
                .message
                .split(" duration_ms")
                .next()
                .unwrap()
                .to_owned();
            (records.level, message)
        })
        .collect()
}

fn row(level: &str, message: &str) -> (String, String) {
    (level.to_owned(), message.to_owned())
}

#[tokio::test]
async fn the_level_of_successes_can_be_set_and_switched_off() {
    let quiet = RequestLogLayer::new().with_success_level(Level::DEBUG);
    assert_eq!(
        records(quiet.clone(), "/ok").await,
        [row("debug", "GET /ok 200")]
    );
    let off = RequestLogLayer::new().without_successes();
    assert_eq!(records(off.clone(), "/ok").await, []);
    for layer in [quiet, off] {
        let failed = [row("error", "GET /err 500 error=no price")];
        assert_eq!(records(layer.clone(), "/err").await, failed);
        let rejected = [row("info", "GET /rejected 409 error=sold out")];
        assert_eq!(records(layer, "/rejected").await, rejected);
    }
}

#[tokio::test]
async fn an_excluded_path_has_neither_record_nor_span() {
    let layer = RequestLogLayer::new().without_paths(["/health"]);
    assert_eq!(
        records(layer.clone(), "/health?deep=1").await,
        [row("info", "checked")]
    );
    assert_eq!(
        records(layer.clone(), "/ok").await,
        [row("info", "GET /ok 200")]
    );
    assert_eq!(
        records(layer, "/healthy").await,
        [row("info", "GET /healthy 404")]
    );
}

#[tokio::test]
async fn a_nested_router_logs_and_excludes_the_path_that_the_client_sent() {
    let nested = |layer: RequestLogLayer| {
        let inner = Router::new()
            .route("/ok", routing::get(|| async {}))
            .layer(layer);
        Router::new().nest("/api", inner).layer(SessionLayer::new())
    };
    let all = RequestLogLayer::new();
    let excluding = RequestLogLayer::new().without_paths(["/api/ok"]);
    for (layer, expected) in [(all, 1), (excluding, 0)] {
        let session = new_session();
        let request = Request::get("/api/ok").header("openReplaySession.id", session.as_str());
        let response = nested(layer).oneshot(request.body(Body::empty()).unwrap());
        assert_eq!(response.await.unwrap().status(), 200);
        let records = logged_in(session);
        assert_eq!(records.len(), expected, "{records:#?}");
        if let [records] = &records[..] {
            assert_eq!(
                records.message,
                "GET /api/ok 200 duration_ms=_ route=/api/ok"
            );
            assert_eq!(records.spans[0]["fields"]["path"], "/api/ok");
        }
    }
}

#[tokio::test]
async fn the_query_string_is_never_logged() {
    let session = new_session();
    let fails = || async { Err::<(), _>(Failure::new("no price")) };
    let app = Router::new()
        .route("/err", routing::get(fails))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let request =
        Request::get("/err?api_key=SECRET").header("openReplaySession.id", session.as_str());
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert!(!format!("{response:?}").contains("SECRET"), "{response:?}");
    assert!(!format!("{:?}", logged_in(session)).contains("SECRET"));

    // without axum's own `Debug` in between
    let bare = tower::service_fn(|_: Request<()>| async {
        Ok::<_, std::convert::Infallible>(axum::http::Response::new(Body::empty()))
    });
    let mut service = tower::ServiceBuilder::new()
        .layer(RequestLogLayer::new())
        .service(bare);
    let request = Request::get("/err?api_key=SECRET").body(()).unwrap();
    let future = tower::Service::call(&mut service, request);
    let response = future.await.unwrap();
    assert!(!format!("{response:?}").contains("SECRET"), "{response:?}");
}

#[tokio::test]
async fn the_body_keeps_its_length() {
    let app = Router::new()
        .route("/ok", routing::get(|| async { "Success" }))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    let url = crate::serve(app).await + "/ok";
    let length = move || {
        let response = ureq::get(url).call().unwrap();
        response.headers()["content-length"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(tokio::task::spawn_blocking(length).await.unwrap(), "7");
}
