//! The page that sends requests to the app and shows the records of its own session: its files and
//! its content security policy.

use axum::{
    Json, Router,
    http::{HeaderName, HeaderValue, header},
    response::Html,
    routing::{MethodRouter, get},
};
use serde_json::{Value, json};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::settings::Tracker;

/// The page's files, and what it has to know.
pub(crate) fn routes(tracker: Option<&Tracker>) -> Router {
    let config = Json(config(tracker));
    Router::new()
        .route("/", get(Html(include_str!("page/index.html"))))
        .route(
            "/page/page.js",
            file("text/javascript", include_str!("page/page.js")),
        )
        .route(
            "/page/reading.js",
            file("text/javascript", include_str!("page/reading.js")),
        )
        .route(
            "/page/records.js",
            file("text/javascript", include_str!("page/records.js")),
        )
        .route(
            "/page/session.js",
            file("text/javascript", include_str!("page/session.js")),
        )
        .route(
            "/page/style.css",
            file("text/css", include_str!("page/style.css")),
        )
        .route(
            "/page/icon.svg",
            file("image/svg+xml", include_str!("page/icon.svg")),
        )
        .route("/page/config.json", get(config))
        .layer(set(header::CONTENT_SECURITY_POLICY, &policy(tracker)))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(set(header::CACHE_CONTROL, "no-store"))
}

/// How to start OpenReplay's tracker; `null` without a project key.
fn config(tracker: Option<&Tracker>) -> Value {
    json!({
        "tracker": tracker.map(|tracker| json!({
            "script": tracker.script.text,
            "projectKey": tracker.project_key,
            "ingestPoint": tracker.ingest_point.text,
        })),
    })
}

/// Everything comes from this app, and no text can become markup. OpenReplay's tracker needs three
/// things more: its script, its ingest point, and a worker made from a blob (without which it
/// starts and records nothing).
fn policy(tracker: Option<&Tracker>) -> String {
    let own = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    match tracker {
        None => format!(
            "{own}; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        Some(Tracker {
            script,
            ingest_point,
            ..
        }) => format!(
            "{own}; script-src 'self' {}; connect-src 'self' {}; worker-src blob:",
            script.origin, ingest_point.origin
        ),
    }
}

fn file(content_type: &'static str, text: &'static str) -> MethodRouter {
    get(([(header::CONTENT_TYPE, content_type)], text))
}

// a policy has only origins in it that were parsed as addresses: it is always a header's value
fn set(name: HeaderName, value: &str) -> SetResponseHeaderLayer<Option<HeaderValue>> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_str(value).ok())
}
