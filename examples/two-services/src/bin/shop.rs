//! The service that the page talks to: axum. It reserves what is ordered in the service `stock`.

use std::{env, error::Error};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use tonic::transport::Channel;
use tower::ServiceBuilder;
use tower_openreplay::{PropagateSession, PropagateSessionLayer, SessionLayer};
use two_services::{Item, listen, log_as, stock_client::StockClient};

type Stock = StockClient<PropagateSession<Channel>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    log_as("shop");
    let stock = env::var("STOCK_URL").unwrap_or_else(|_| "http://127.0.0.1:3002".into());
    let channel = Channel::from_shared(stock)?.connect_lazy();
    // a channel talks to one host, so all that goes through it may have the session
    let channel = ServiceBuilder::new()
        .layer(PropagateSessionLayer::to_all_hosts())
        .service(channel);
    let app = Router::new()
        .route("/order/{item}", post(order))
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
            tracing::error!(code = ?status.code(), "stock did not answer: {}", status.message());
            Err(StatusCode::BAD_GATEWAY)
        }
    }
}
