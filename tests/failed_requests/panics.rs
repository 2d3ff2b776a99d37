//! A panic leaves its own record, and no other.

use std::{
    any::Any,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::IntoResponse as _,
    routing,
};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_openreplay::{RequestLogLayer, SessionLayer};

use crate::{get, logged_in, new_session, serve, wait_for};

async fn panics() {
    panic!("out of stock");
}

fn router() -> Router {
    Router::new()
        .route("/panic", routing::get(panics))
        .layer(RequestLogLayer::new())
}

#[tokio::test]
async fn a_panic_is_one_record_with_its_place_method_path_and_session() {
    let caught = router()
        .layer(CatchPanicLayer::new())
        .layer(SessionLayer::new());
    let session = new_session();
    let (status, _) = get(serve(caught).await + "/panic", session).await;
    assert_eq!(status, 500);
    let records = wait_for(session, 1).await;
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0].level, "error");
    let place = format!("panicked at {}:", file!().trim_start_matches("tests/"));
    assert!(
        records[0].message.replace("tests/", "").starts_with(&place),
        "{records:#?}"
    );
    assert!(
        records[0].message.ends_with(": out of stock"),
        "{records:#?}"
    );
    let span = &records[0].spans[0]["fields"];
    assert_eq!(
        (&span["method"], &span["path"]),
        (&"GET".into(), &"/panic".into())
    );
}

#[tokio::test]
async fn a_panic_that_nothing_catches_is_one_record_too() {
    let session = new_session();
    let url = serve(router().layer(SessionLayer::new())).await + "/panic";
    let send = move || {
        ureq::get(url)
            .header("openReplaySession.id", session.as_str())
            .call()
            .map(drop)
    };
    assert!(tokio::task::spawn_blocking(send).await.unwrap().is_err());
    let records = wait_for(session, 1).await;
    assert_eq!(records.len(), 1, "{records:#?}");
    assert!(
        records[0].message.ends_with(": out of stock"),
        "{records:#?}"
    );
}

#[tokio::test]
async fn a_panic_further_out_that_drops_the_request_is_one_record_too() {
    let drops = from_fn(|request: Request, next: Next| async {
        let mut waits = Box::pin(next.run(request));
        let polled = futures_util::poll!(waits.as_mut());
        assert!(polled.is_ready(), "out of stock");
        StatusCode::OK
    });
    let app = Router::new()
        .route("/wait", routing::get(std::future::pending::<()>))
        .layer(RequestLogLayer::new())
        .layer(drops)
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }))
        .layer(SessionLayer::new());
    let session = new_session();
    let (status, _) = get(serve(app).await + "/wait", session).await;
    assert_eq!(status, 500);
    let records = wait_for(session, 1).await;
    assert_eq!(records.len(), 1, "{records:#?}");
    assert!(records[0].message.contains("out of stock"), "{records:#?}");
}

#[tokio::test]
async fn a_panic_in_the_destructor_of_a_future_that_has_ended_is_one_record_too() {
    struct Bomb;

    impl Future for Bomb {
        type Output = Result<axum::http::Response<Body>, std::io::Error>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(axum::http::Response::default()))
        }
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("out of stock");
        }
    }

    let service = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(RequestLogLayer::new())
        .service(service_fn(|_: Request| Bomb));
    let session = new_session();
    let request = Request::get("/bomb").header("openReplaySession.id", session.as_str());
    let response = service.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.await.unwrap().status(), 500);
    let records = logged_in(session);
    assert_eq!(records.len(), 1, "{records:#?}");
    assert!(
        records[0].message.ends_with(": out of stock"),
        "{records:#?}"
    );
}
