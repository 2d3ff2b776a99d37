//! The session as an argument of an axum handler.
#![cfg(feature = "axum")]

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use tower_openreplay::{CurrentSession, SessionLayer};

const TOKEN: &str = "z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1";

fn app() -> Router {
    Router::new()
        .route(
            "/required",
            get(|CurrentSession(id): CurrentSession| async move { id.to_string() }),
        )
        .route(
            "/optional",
            get(|session: Option<CurrentSession>| async move {
                session.map_or_else(|| "none".to_owned(), |session| session.0.to_string())
            }),
        )
}

async fn ask(app: Router, uri: &str, header: Option<(&str, &str)>) -> (StatusCode, String) {
    let request = header
        .into_iter()
        .fold(Request::get(uri), |request, (name, value)| {
            request.header(name, value)
        });
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

#[tokio::test]
async fn both_forms_give_the_session() {
    let app = app().layer(SessionLayer::new());
    for header in [
        ("openReplaySession.id", "35"),
        ("X-OpenReplay-SessionToken", TOKEN),
    ] {
        for uri in ["/required", "/optional"] {
            assert_eq!(
                ask(app.clone(), uri, Some(header)).await,
                (StatusCode::OK, "35".to_owned())
            );
        }
    }
}

#[tokio::test]
async fn the_required_form_says_that_there_is_no_session() {
    let app = app().layer(SessionLayer::new());
    for header in [
        None,
        Some(("openReplaySession.id", "undefined")),
        Some(("openReplaySession.id", "a b")),
    ] {
        let (status, text) = ask(app.clone(), "/required", header).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(text, "the request has no OpenReplay session id");
    }
}

#[tokio::test]
async fn the_required_form_names_the_layer_that_is_missing() {
    for header in [
        ("openReplaySession.id", "35"),
        ("X-OpenReplay-SessionToken", TOKEN),
    ] {
        let (status, text) = ask(app(), "/required", Some(header)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            text,
            "the request has an OpenReplay session id, but runs in no session: `tower_openreplay::SessionLayer` is missing around this route"
        );
    }
}

#[tokio::test]
async fn the_optional_form_cannot_fail() {
    let none = (StatusCode::OK, "none".to_owned());
    assert_eq!(
        ask(app().layer(SessionLayer::new()), "/optional", None).await,
        none
    );
    assert_eq!(ask(app(), "/optional", None).await, none);
    assert_eq!(
        ask(app(), "/optional", Some(("openReplaySession.id", "35"))).await,
        none
    );
}
