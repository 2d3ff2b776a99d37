//! The extractor `CurrentSession`.
#![cfg(feature = "axum")]

use axum::{Router, body::Body, routing::get};
use http::{HeaderName, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use tower_openreplay::{CurrentSession, SessionHeaders, SessionLayer};

const ID: &str = "openReplaySession.id";
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

async fn get_response(
    app: Router,
    uri: &str,
    header: Option<(&str, &str)>,
) -> (StatusCode, String) {
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
async fn both_forms_extract_the_session() {
    let app = app().layer(SessionLayer::new());
    for header in [(ID, "35"), ("X-OpenReplay-SessionToken", TOKEN)] {
        for uri in ["/required", "/optional"] {
            assert_eq!(
                get_response(app.clone(), uri, Some(header)).await,
                (StatusCode::OK, "35".to_owned())
            );
        }
    }
}

#[tokio::test]
async fn the_required_form_rejects_requests_without_a_session() {
    let other_name = SessionLayer::new()
        .with_headers(SessionHeaders::new().with_id_header(HeaderName::from_static("x-session")));
    let rows = [
        ("no id", app().layer(SessionLayer::new()), None),
        (
            "too early",
            app().layer(SessionLayer::new()),
            Some((ID, "undefined")),
        ),
        (
            "malformed",
            app().layer(SessionLayer::new()),
            Some((ID, "a b")),
        ),
        (
            "an id under a name that is not read",
            app().layer(other_name),
            Some((ID, "35")),
        ),
        ("no layer, an id", app(), Some((ID, "35"))),
        (
            "no layer, a token",
            app(),
            Some(("X-OpenReplay-SessionToken", TOKEN)),
        ),
        ("no layer, nothing", app(), None),
    ];
    for (name, app, header) in rows {
        let (status, text) = get_response(app, "/required", header).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}");
        assert_eq!(
            text,
            "the request has no OpenReplay session id, or `tower_openreplay::SessionLayer` is not around this route",
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_optional_form_never_fails() {
    let none = (StatusCode::OK, "none".to_owned());
    assert_eq!(
        get_response(app().layer(SessionLayer::new()), "/optional", None).await,
        none
    );
    assert_eq!(get_response(app(), "/optional", None).await, none);
    assert_eq!(
        get_response(app(), "/optional", Some((ID, "35"))).await,
        none
    );
}
