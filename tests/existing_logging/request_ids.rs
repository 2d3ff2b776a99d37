//! tower-http's request ids: one in the record and in the response, whatever its source, whatever
//! becomes of the request.

use axum::{Router, body::Body, routing::get};
use http::{HeaderValue, Request, Response, StatusCode};
use integration_tests::Lines;
use serde_json::Value;
use tower::ServiceExt as _;
use tracing::subscriber::set_default;
use tracing_subscriber::prelude::*;

mod layers {
    // [guide]
    use std::any::Any;

    use axum::{
        Router,
        http::{HeaderName, HeaderValue, StatusCode},
        response::{IntoResponse as _, Response},
    };
    use tower_http::{
        catch_panic::CatchPanicLayer,
        cors::CorsLayer,
        request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    };
    use tower_openreplay::{RequestLogLayer, SessionLayer};

    pub(crate) fn with_layers(router: Router, page: HeaderValue) -> Router {
        let cors = CorsLayer::new()
            .allow_origin(page)
            .allow_headers(tower_openreplay::header_names())
            .expose_headers([HeaderName::from_static("x-request-id")]);
        router
            .layer(RequestLogLayer::new()) // reads the id
            .layer(CatchPanicLayer::custom(respond)) // its response also gets the id
            .layer(PropagateRequestIdLayer::x_request_id()) // puts the id into the response
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid)) // sets an id if the request has none
            .layer(SessionLayer::new())
            .layer(cors)
    }

    fn respond(_panic: Box<dyn Any + Send>) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
    // [end]
}

/// The response of the page's layers to a request, and what was logged.
async fn request(path: &str, id: Option<&str>) -> (Response<Body>, Vec<Value>) {
    let lines = Lines::default();
    let layer = tracing_openreplay::json().with_writer(lines.clone());
    let _subscriber = set_default(tracing_subscriber::registry().with(layer));
    let router = Router::new()
        .route("/ok", get(async || tracing::info!("in the handler")))
        .route("/panic", get(panics));
    let origin = HeaderValue::from_static("https://shop.example.com");
    let app = layers::with_layers(router, origin.clone());
    let mut request = Request::get(path)
        .header("origin", origin)
        .header("openReplaySession.id", "42");
    if let Some(id) = id {
        request = request.header("x-request-id", id);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    (response, lines.records())
}

#[tokio::test]
async fn record_and_response_have_the_same_request_id() {
    for given in [None, Some("from-the-gateway")] {
        let (response, records) = request("/ok", given).await;
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(given.unwrap_or(id), id);
        assert!(!id.is_empty());
        assert_eq!(records.len(), 2, "{records:?}");
        for record in records {
            assert_eq!(record["http.request.id"], id);
            assert_eq!(record["openReplaySession.id"], "42");
        }
        // what a page of another origin may read, and so the replay's network panel shows
        let exposed = &response.headers()["access-control-expose-headers"];
        assert_eq!(exposed, "x-request-id");
    }
}

#[tokio::test]
async fn the_response_to_a_panic_has_the_id_as_well() {
    tracing_openreplay::log_panics();
    let (response, records) = request("/panic", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let id = response.headers()["x-request-id"].to_str().unwrap();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["log.logger"], "panic");
    assert_eq!(records[0]["http.request.id"], id);
}

async fn panics() -> String {
    panic!("as told")
}
