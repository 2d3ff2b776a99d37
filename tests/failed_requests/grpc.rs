//! gRPC, over a socket: a failure is a status, in the headers or in the trailers.

use std::{convert::Infallible, time::Duration};

use axum::http::{Request, Response};
use futures_util::stream;
use openreplay_session::SessionId;
use tokio::net::TcpListener;
use tonic::{
    Code, Status,
    body::Body,
    client::Grpc,
    codegen::{BoxFuture, http::uri::PathAndQuery},
    server::{NamedService, ServerStreamingService},
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower_openreplay::{RequestLogLayer, SessionLayer, request_log::GrpcCode};

use crate::{Logged, new_session, wait_for};

const STOCK: &str = "shop.Stock";

/// What the service responds: some prices, and then perhaps a status.
#[derive(Clone, Copy)]
struct Prices;

impl ServerStreamingService<String> for Prices {
    type Response = String;
    type ResponseStream = stream::Iter<std::vec::IntoIter<Result<String, Status>>>;
    type Future = BoxFuture<tonic::Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: tonic::Request<String>) -> Self::Future {
        let price = Ok("12.50".to_owned());
        let internal = || Status::internal("no price: 100 %");
        let result = match request.into_inner().as_str() {
            "teapot" => Ok(vec![price]),
            "head" => Err(internal()),
            "missing" => Err(Status::not_found("no such thing")),
            "missing at the end" => Ok(vec![price, Err(Status::not_found("no such thing"))]),
            _ => Ok(vec![price, Err(internal())]),
        };
        Box::pin(async { Ok(tonic::Response::new(stream::iter(result?))) })
    }
}

#[derive(Clone)]
pub(crate) struct Stock;

impl NamedService for Stock {
    const NAME: &'static str = STOCK;
}

impl tower::Service<Request<Body>> for Stock {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let codec = ProstCodec::<String, String>::default();
        let mut grpc = tonic::server::Grpc::new(codec);
        Box::pin(async move { Ok(grpc.server_streaming(Prices, request).await) })
    }
}

/// Requests the price of an item. Returns the code and the records.
async fn send(layer: RequestLogLayer, item: &str) -> (Code, Vec<Logged>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .layer(SessionLayer::new())
        .layer(layer)
        .add_service(Stock);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let session = new_session();
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let channel = channel
        .timeout(Duration::from_secs(60))
        .connect()
        .await
        .unwrap();
    let code = call(channel, session, item).await;
    (code, wait_for(session, 1).await)
}

async fn call(channel: Channel, session: SessionId, item: &str) -> Code {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let mut request = tonic::Request::new(item.to_owned());
    let id = session.as_str().parse().unwrap();
    request.metadata_mut().insert("openreplaysession.id", id);
    let path = PathAndQuery::from_static("/shop.Stock/Prices");
    let codec = ProstCodec::<String, String>::default();
    match client.server_streaming(request, path, codec).await {
        Err(status) => status.code(),
        Ok(response) => {
            let mut prices = response.into_inner();
            while let Some(price) = prices.message().await.transpose() {
                if let Err(status) = price {
                    return status.code();
                }
            }
            Code::Ok
        }
    }
}

pub(crate) fn lines(records: &[Logged]) -> Vec<(&str, &str)> {
    records
        .iter()
        .map(|record| (record.level.as_str(), record.message.as_str()))
        .collect()
}

pub(crate) const OK: (&str, &str) = ("info", "POST /shop.Stock/Prices 200 duration_ms=_");

#[tokio::test]
async fn a_status_in_the_headers_is_one_record_with_its_message() {
    let (code, records) = send(RequestLogLayer::new_for_grpc(), "head").await;
    assert_eq!(code, Code::Internal);
    let failed = "POST /shop.Stock/Prices 200 error=Internal: no price: 100 % duration_ms=_";
    assert_eq!(lines(&records), [("error", failed)]);
}

#[tokio::test]
async fn a_status_in_the_trailers_is_a_second_record() {
    let (code, records) = send(RequestLogLayer::new_for_grpc(), "trailers").await;
    assert_eq!(code, Code::Internal);
    let failed =
        "POST /shop.Stock/Prices body failed error=Internal: no price: 100 % duration_ms=_";
    assert_eq!(lines(&records), [OK, ("error", failed)]);
}

#[tokio::test]
async fn a_success_is_one_record() {
    let (code, records) = send(RequestLogLayer::new_for_grpc(), "teapot").await;
    assert_eq!(code, Code::Ok);
    assert_eq!(lines(&records), [OK]);
}

#[tokio::test]
async fn codes_can_be_named_that_are_no_failures() {
    let (code, records) = send(RequestLogLayer::new_for_grpc(), "missing").await;
    assert_eq!(code, Code::NotFound);
    assert_eq!(records[0].level, "error");

    let layer = RequestLogLayer::new_for_grpc().with_success_codes([GrpcCode::NotFound]);
    let (code, records) = send(layer, "missing").await;
    assert_eq!(code, Code::NotFound);
    assert_eq!(lines(&records), [OK]);
}

#[tokio::test]
async fn codes_can_be_named_that_are_no_failures_in_the_trailers_either() {
    let layer = RequestLogLayer::new_for_grpc().with_success_codes([GrpcCode::NotFound]);
    let (code, records) = send(layer, "missing at the end").await;
    assert_eq!(code, Code::NotFound);
    assert_eq!(lines(&records), [OK]);
}

#[tokio::test]
async fn an_http_failure_is_one_over_grpc_too() {
    use tower::{ServiceBuilder, ServiceExt as _, service_fn};

    let session = new_session();
    let fails = service_fn(|_: Request<Body>| async {
        let response = Response::builder().status(503);
        Ok::<_, Infallible>(response.body(Body::empty()).unwrap())
    });
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(RequestLogLayer::new_for_grpc())
        .service(fails);
    let request = Request::get("/").header("openReplaySession.id", session.as_str());
    service
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(
        lines(&wait_for(session, 1).await),
        [("error", "GET / 503 duration_ms=_")]
    );
}
