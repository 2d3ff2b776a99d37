//! The third service: hyper alone.

use std::{convert::Infallible, error::Error};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tower::ServiceBuilder;
use tower_openreplay::{RequestLogLayer, SessionLayer};
use two_services::{from_headers, listen, log_as};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    log_as("prices");
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(from_headers())
        .layer(RequestLogLayer::new())
        .service_fn(price);
    let listener = listen("127.0.0.1:3003").await?;
    loop {
        let (socket, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(socket), service).await {
                tracing::warn!("connection failed: {error}");
            }
        });
    }
}

async fn price(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let item = request.uri().path().trim_start_matches("/price/");
    tracing::info!(item, "priced");
    Ok(Response::new(format!("{item}: 12.50")))
}
