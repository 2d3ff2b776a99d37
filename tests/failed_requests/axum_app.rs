//! The app of the README, over a socket.

use std::{error::Error, fmt};

use anyhow::{Context as _, anyhow};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing,
};
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer};

use crate::{Logged, assert_logged, get, new_session, serve, wait_for};

fn app() -> Router {
    Router::new()
        .route("/api/ok", routing::get(|| async { "Success" }))
        .route("/api/err/{order}", routing::get(fails))
        .route("/api/eyre", routing::get(fails_by_eyre))
        .route("/api/boxed", routing::get(fails_boxed))
        .route(
            "/api/text",
            routing::get(|| async { Err::<(), _>(Failure::new("sold out")) }),
        )
        .route("/api/missing", routing::get(missing))
        .route(
            "/api/own",
            routing::get(|| async { Err::<(), _>(OutOfStock) }),
        )
        .route(
            "/api/503",
            routing::get(|| async { StatusCode::SERVICE_UNAVAILABLE }),
        )
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new())
}

async fn fails() -> Result<(), Failure> {
    Err(anyhow!("no price").context("order 17"))?;
    Ok(())
}

async fn fails_by_eyre() -> Result<(), Failure> {
    Err(eyre::eyre!("no price").wrap_err("order 18"))?;
    Ok(())
}

async fn fails_boxed() -> Result<(), Failure> {
    let boxed: Box<dyn Error + Send + Sync> = "no price".into();
    Err(boxed)?;
    Ok(())
}

async fn missing() -> Result<(), Failure> {
    let price = std::fs::read_to_string("/no/such/price").context("order 19");
    price.map_err(|error| Failure::new(error).with_status(StatusCode::NOT_FOUND))?;
    Ok(())
}

#[derive(Debug)]
struct OutOfStock;

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of stock")
    }
}

impl Error for OutOfStock {}

impl IntoResponse for OutOfStock {
    fn into_response(self) -> Response {
        let response = (StatusCode::BAD_GATEWAY, "try later").into_response();
        Failure::new(self).attach_to(response)
    }
}

/// The response to a path, and the one record of it.
async fn one(path: &str) -> ((u16, String), Logged) {
    let session = new_session();
    let response = get(serve(app()).await + path, session).await;
    let mut records = wait_for(session, 1).await;
    assert_eq!(records.len(), 1, "{records:#?}");
    (response, records.remove(0))
}

#[tokio::test]
async fn an_error_is_one_record_with_its_causes_and_the_client_learns_nothing() {
    let (response, records) = one("/api/err/17?secret=7").await;
    assert_eq!(response, (500, "Internal Server Error".to_owned()));
    assert_eq!(
        records,
        Logged {
            level: "error".to_owned(),
            message: "GET /api/err/17 500 error=order 17 duration_ms=_ request_id=r-1 \
                      route=/api/err/{order}\nerror caused by: no price"
                .to_owned(),
            spans: vec![serde_json::json!({
                "name": "request",
                "fields": { "method": "GET", "path": "/api/err/17", "request_id": "r-1" },
            })],
        }
    );
}

#[tokio::test]
async fn each_error_is_logged_with_its_own_text() {
    let causes = [
        ("/api/eyre", "no price"),
        ("/api/missing", "No such file or directory (os error 2)"),
    ];
    let rows = [
        ("/api/eyre", 500, "error", "error=order 18 "),
        ("/api/boxed", 500, "error", "error=no price "),
        ("/api/text", 500, "error", "error=sold out "),
        ("/api/own", 502, "error", "error=out of stock "),
        ("/api/missing", 404, "info", "error=order 19 "),
        ("/api/503", 503, "error", ""),
        ("/api/ok", 200, "info", ""),
        ("/none", 404, "info", ""),
    ];
    for (path, status, level, error) in rows {
        let (response, records) = one(path).await;
        assert_eq!(response.0, status, "{path}");
        let route = if path == "/none" {
            String::new()
        } else {
            format!(" route={path}")
        };
        let cause = causes.iter().find(|(failed, _)| *failed == path);
        let cause = cause.map_or_else(String::new, |(_, text)| {
            format!("\nerror caused by: {text}")
        });
        let message =
            format!("GET {path} {status} {error}duration_ms=_ request_id=r-1{route}{cause}");
        assert_logged(&[records], level, &message);
    }
}

#[tokio::test]
async fn spawned_work_keeps_the_span_at_info() {
    use tracing::Instrument as _;

    let session = new_session();
    let spawns = || async {
        let work = async { tracing::info!("Confirmation sent") };
        tokio::spawn(work.in_current_span()).await.unwrap();
    };
    let app = Router::new()
        .route("/spawn", routing::get(spawns))
        .layer(RequestLogLayer::new())
        .layer(SessionLayer::new());
    get(serve(app).await + "/spawn", session).await;
    let records = wait_for(session, 2).await;
    assert_eq!(records[0].message, "Confirmation sent");
    assert_eq!(records[0].spans[0]["fields"]["path"], "/spawn");
}
