//! The service that the page talks to: axum. It reserves what is ordered in the service `stock`.

use std::{env, error::Error};

use axum::{
    Router,
    extract::{Path, State},
    http::{Request, StatusCode},
    routing::post,
};
use tonic::{body::Body, transport::Channel};
use tower::{ServiceBuilder, util::MapRequest};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_openreplay::{PropagateSession, PropagateSessionLayer, RequestLogLayer, SessionLayer};
use two_services::{Item, from_headers, listen, log_as, stock_client::StockClient, with_trace};

type WithTrace = fn(Request<Body>) -> Request<Body>;
type Stock = StockClient<MapRequest<PropagateSession<Channel>, WithTrace>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    log_as("shop");
    let stock = env::var("STOCK_URL").unwrap_or_else(|_| "http://127.0.0.1:3002".into());
    let channel = Channel::from_shared(stock)?.connect_lazy();
    // a channel talks to one host, so all that goes through it may have the session
    let channel = ServiceBuilder::new()
        .map_request(with_trace as WithTrace)
        .layer(PropagateSessionLayer::to_all_hosts())
        .service(channel);
    let app = Router::new()
        .route("/order/{item}", post(order))
        .layer(RequestLogLayer::new())
        .layer(from_headers())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(SessionLayer::new())
        .with_state(StockClient::new(channel));
    axum::serve(listen("127.0.0.1:3001").await?, app).await?;
    Ok(())
}

async fn order(
    State(mut stock): State<Stock>,
    Path(item): Path<String>,
) -> Result<String, StatusCode> {
    tracing::info!(item, "ordered");
    match stock.reserve(Item { name: item }).await {
        Ok(reserved) => Ok(reserved.into_inner().price),
        Err(status) => {
            tracing::error!(code = ?status.code(), "stock did not respond: {}", status.message());
            Err(StatusCode::BAD_GATEWAY)
        }
    }
}
