//! The second service: tonic. It queries the service `prices`, which is ours, and `RATES_URL`,
//! which is not.

use std::{env, error::Error};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tonic::{Response, Status, transport::Server};
use tower::{ServiceBuilder, ServiceExt as _};
use tower_openreplay::{PropagateSession, PropagateSessionLayer, RequestLogLayer, SessionLayer};
use two_services::{
    Item, Reserved, from_headers, listen, log_as,
    stock_server::{Stock, StockServer},
    with_trace,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    log_as("stock");
    let prices: Uri = env::var("PRICES_URL")
        .unwrap_or_else(|_| "http://127.0.0.1:3003".into())
        .parse()?;
    let rates = env::var("RATES_URL")
        .ok()
        .map(|url| url.parse())
        .transpose()?;
    let ours = prices
        .authority()
        .ok_or("PRICES_URL has no host")?
        .to_string();
    let client = ServiceBuilder::new()
        .layer(PropagateSessionLayer::to_hosts([ours])?)
        .service(Client::builder(TokioExecutor::new()).build_http());
    let warehouse = Warehouse {
        client,
        prices,
        rates,
    };

    let listener = listen("127.0.0.1:3002").await?;
    Server::builder()
        .layer(SessionLayer::new())
        .layer(from_headers())
        .layer(RequestLogLayer::new_for_grpc())
        .add_service(StockServer::new(warehouse))
        .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener))
        .await?;
    Ok(())
}

struct Warehouse {
    client: PropagateSession<Client<HttpConnector, Empty<Bytes>>>,
    prices: Uri,
    rates: Option<Uri>,
}

#[tonic::async_trait]
impl Stock for Warehouse {
    async fn reserve(&self, request: tonic::Request<Item>) -> Result<Response<Reserved>, Status> {
        let item = request.into_inner().name;
        tracing::info!(item, "reserved");
        if let Some(rates) = &self.rates {
            self.get(to(rates, "/")?).await?;
        }
        let request = to(&self.prices, &format!("/price/{item}"))?;
        let price = self.get(with_trace(request)).await?;
        Ok(Response::new(Reserved { price }))
    }
}

impl Warehouse {
    async fn get(&self, request: Request<Empty<Bytes>>) -> Result<String, Status> {
        let uri = request.uri().clone();
        let failed = |error: &dyn Error| Status::unavailable(format!("{uri}: {error}"));
        let client = self.client.clone();
        let response = client
            .oneshot(request)
            .await
            .map_err(|error| failed(&error))?;
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| failed(&error))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    }
}

fn to(base: &Uri, path: &str) -> Result<Request<Empty<Bytes>>, Status> {
    let uri = format!("{}{path}", base.to_string().trim_end_matches('/'));
    let request = Request::get(uri).body(Empty::new());
    request.map_err(|error| Status::invalid_argument(error.to_string()))
}
