//! A client's interceptor, a layer around one service of a server, and the stream that a client
//! sends.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router, body::Body, extract::State, http::HeaderMap, response::Response, routing::post,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use tokio::net::TcpListener;
use tonic::{
    Request, Status,
    body::Body as GrpcBody,
    codegen::http,
    server::NamedService,
    service::LayerExt as _,
    transport::{Channel, Server},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower_openreplay::{
    SessionLayer,
    openreplay_session::{InCurrentSession as _, SessionId, current, scope},
    propagate_session, session_of,
};

use crate::{ID, Seen, serve, session};

async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_timeout(Duration::from_secs(60))
        .connect()
        .await
        .unwrap()
}

/// A response without a message, after all of the request.
async fn grpc(State(seen): State<Received>, headers: HeaderMap, body: Body) -> Response {
    body.collect().await.unwrap();
    seen.lock().unwrap().push(session_of(&headers));
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        http::HeaderValue::from_static("0"),
    )]);
    let message = Full::from(Bytes::from_static(&[0; 5]));
    Response::builder()
        .header("content-type", "application/grpc")
        .body(Body::new(
            message.with_trailers(async { Some(Ok(trailers)) }),
        ))
        .unwrap()
}

type Received = std::sync::Arc<std::sync::Mutex<Vec<Option<SessionId>>>>;

/// Notes the session that the headers of each call name.
async fn received() -> (SocketAddr, Received) {
    let received = Received::default();
    let app = Router::new()
        .route("/{service}/{method}", post(grpc))
        .with_state(received.clone());
    (serve(app).await, received)
}

// tonic's type, which is large
#[allow(clippy::result_large_err)]
fn with_session(mut request: Request<()>) -> Result<Request<()>, Status> {
    propagate_session(request.metadata_mut().as_mut());
    Ok(request)
}

#[tokio::test]
async fn an_interceptor_sends_the_session() {
    let (address, received) = received().await;
    let mut client = HealthClient::with_interceptor(channel(address).await, with_session);
    for id in [session(), None, Some(SessionId::from(7))] {
        let call = client.check(HealthCheckRequest::default());
        scope(id, call).await.unwrap();
    }
    let expected = [session(), None, Some(SessionId::from(7))];
    assert_eq!(*received.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_stream_that_a_client_sends_is_polled_in_the_session_it_takes_along() {
    let (address, _) = received().await;
    let channel = channel(address).await;
    let (taken, bare) = (Seen::default(), Seen::default());
    for (seen, takes) in [(&taken, true), (&bare, false)] {
        let mut client = tonic::client::Grpc::new(channel.clone());
        let items = seen.clone();
        let items = stream::iter([(), ()]).inspect(move |()| items.note());
        let call = async {
            client.ready().await.unwrap();
            let path = http::uri::PathAndQuery::from_static("/sink/Put");
            let codec = tonic_prost::ProstCodec::<(), ()>::default();
            if takes {
                client
                    .client_streaming(Request::new(items.in_current_session()), path, codec)
                    .await
            } else {
                client
                    .client_streaming(Request::new(items), path, codec)
                    .await
            }
        };
        scope(session(), call).await.unwrap();
    }
    taken.all_in(session());
    // of the task of the connection
    bare.all_in(None);
}

/// Responds for a service of its own with the session that it runs in.
#[derive(Clone)]
struct Sessions;

impl NamedService for Sessions {
    const NAME: &'static str = "test.Sessions";
}

impl tower::Service<http::Request<GrpcBody>> for Sessions {
    type Response = http::Response<GrpcBody>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<GrpcBody>) -> Self::Future {
        let text = current().map_or("none".to_owned(), |id| id.to_string());
        let message = Status::failed_precondition(text);
        std::future::ready(Ok(message.into_http()))
    }
}

#[tokio::test]
async fn a_named_layer_gives_one_service_of_a_server_the_session() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_, health) = tonic_health::server::health_reporter();
    let incoming = stream::unfold(listener, |listener| async {
        Some((listener.accept().await.map(|(stream, _)| stream), listener))
    });
    let server = Server::builder()
        .add_service(SessionLayer::new().named_layer(Sessions))
        .add_service(SessionLayer::new().named_layer(health))
        .serve_with_incoming(incoming);
    tokio::spawn(async { server.await.unwrap() });

    let channel = channel(address).await;
    let client = HealthClient::with_interceptor(channel.clone(), with_session);
    scope(session(), { client }.check(HealthCheckRequest::default()))
        .await
        .unwrap();

    let mut client = tonic::client::Grpc::new(
        tonic::service::interceptor::InterceptedService::new(channel, with_session),
    );
    let call = async {
        client.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static("/test.Sessions/Get");
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        client.unary(Request::new(()), path, codec).await
    };
    let status = scope(session(), call).await.unwrap_err();
    assert_eq!(status.message(), ID.to_string());
}
