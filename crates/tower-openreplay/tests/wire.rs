//! The layer in real servers over a socket: hyper with HTTP/1.1, HTTP/2 and upgrades, and tonic.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Empty, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, client::conn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use openreplay_session::{InCurrentSession as _, current};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};
use tower::{Layer as _, ServiceBuilder, service_fn};
use tower_openreplay::{PropagateSessionLayer, SessionLayer};

const TOKEN: &str = "z.-1c.mr3k5wxs.sQt5BabHyobq3BgjtbbNKTETb1SXGg6ciJcabbNeEt1";

type Seen = UnboundedSender<(&'static str, Option<String>)>;

fn note(seen: &Seen, what: &'static str) {
    let _ = seen.send((what, current().map(|id| id.to_string())));
}

/// Receives all notes until the senders are dropped.
async fn all(
    mut seen: UnboundedReceiver<(&'static str, Option<String>)>,
) -> Vec<(&'static str, Option<String>)> {
    let mut all = Vec::new();
    while let Some(one) = seen.recv().await {
        all.push(one);
    }
    all
}

/// A body of two frames, with a pause in between, and trailers. Each contains the session in which
/// it was polled.
struct Streaming {
    polls: usize,
    seen: Seen,
}

impl Body for Streaming {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.polls += 1;
        let session = current().map_or_else(|| "none".to_owned(), |id| id.to_string());
        Poll::Ready(match self.polls {
            1 | 3 => Some(Ok(Frame::data(session.into()))),
            2 => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            4 => Some(Ok(Frame::trailers(HeaderMap::from_iter([(
                header::ETAG,
                session.parse().unwrap(),
            )])))),
            _ => None,
        })
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        note(&self.seen, "drop");
    }
}

/// Serves one connection, and notes the sessions of each request and its response body.
async fn serve_one(seen: Seen) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let service =
            SessionLayer::new().layer(service_fn(move |mut request: Request<Incoming>| {
                let seen = seen.clone();
                async move {
                    note(&seen, "future");
                    let mut response = Response::new(UnsyncBoxBody::new(Streaming {
                        polls: 0,
                        seen: seen.clone(),
                    }));
                    if request.headers().contains_key(header::UPGRADE) {
                        let upgrade = hyper::upgrade::on(&mut request);
                        tokio::spawn(
                            async move {
                                let mut socket = TokioIo::new(upgrade.await.unwrap());
                                note(&seen, "upgraded");
                                let mut ping = [0; 4];
                                socket.read_exact(&mut ping).await.unwrap();
                                note(&seen, "read");
                                socket.write_all(&ping).await.unwrap();
                            }
                            .in_current_session(),
                        );
                        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                        response
                            .headers_mut()
                            .insert(header::CONNECTION, "upgrade".parse().unwrap());
                        response
                            .headers_mut()
                            .insert(header::UPGRADE, "echo".parse().unwrap());
                        *response.body_mut() = UnsyncBoxBody::new(Empty::new());
                    }
                    Ok::<_, Infallible>(response)
                }
            }));
        let _ = auto::Builder::new(TokioExecutor::new())
            .serve_connection_with_upgrades(TokioIo::new(socket), TowerToHyperService::new(service))
            .await;
    });
    address
}

fn request(address: SocketAddr, session: &str) -> Request<Empty<Bytes>> {
    let name = if session.contains('.') {
        "X-OpenReplay-SessionToken"
    } else {
        "openReplaySession.id"
    };
    Request::get(format!("http://{address}/"))
        .header(header::HOST, address.to_string())
        .header(header::TE, "trailers")
        .header(name, session)
        .body(Empty::new())
        .unwrap()
}

async fn connect(address: SocketAddr) -> TokioIo<TcpStream> {
    TokioIo::new(TcpStream::connect(address).await.unwrap())
}

#[tokio::test]
async fn http_1_1_streams_in_the_session() {
    let (sender, seen) = mpsc::unbounded_channel();
    let address = serve_one(sender).await;
    let (mut client, connection) = conn::http1::handshake(connect(address).await)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    for session in ["42", TOKEN] {
        let body = client
            .send_request(request(address, session))
            .await
            .unwrap()
            .into_body();
        let expected = if session == TOKEN { "3535" } else { "4242" };
        assert_eq!(body.collect().await.unwrap().to_bytes(), expected);
    }
    drop(client);
    connection.await.unwrap().unwrap();
    let expected = [
        ("future", "42"),
        ("drop", "42"),
        ("future", "35"),
        ("drop", "35"),
    ];
    assert_eq!(
        all(seen).await,
        expected.map(|(what, id)| (what, Some(id.to_owned())))
    );
}

#[tokio::test]
async fn http_2_streams_in_the_session_of_each_of_its_requests() {
    let (sender, seen) = mpsc::unbounded_channel();
    let address = serve_one(sender).await;
    let (mut client, connection) =
        conn::http2::handshake(TokioExecutor::new(), connect(address).await)
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let responses: Vec<_> = (0..20)
        .map(|number| {
            (
                number,
                client.send_request(request(address, &number.to_string())),
            )
        })
        .collect();
    for (number, response) in responses {
        let body = response.await.unwrap().into_body().collect().await.unwrap();
        assert_eq!(body.trailers().unwrap()[header::ETAG], number.to_string());
        assert_eq!(body.to_bytes(), format!("{number}{number}"));
    }
    drop(client);
    connection.await.unwrap().unwrap();
    let seen = all(seen).await;
    for number in 0..20 {
        let id = Some(number.to_string());
        let of_this: Vec<_> = seen
            .iter()
            .filter(|(_, session)| *session == id)
            .map(|(what, _)| *what)
            .collect();
        assert_eq!(of_this, ["future", "drop"], "{number}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_has_its_body_dropped_in_the_session() {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let address = serve_one(sender).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = "GET / HTTP/1.1\r\nhost: x\r\nopenReplaySession.id: 42\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(seen.recv().await, Some(("future", Some("42".to_owned()))));
    drop(socket);
    assert_eq!(seen.recv().await, Some(("drop", Some("42".to_owned()))));
}

#[tokio::test]
async fn an_upgraded_connection_keeps_the_session() {
    let (sender, seen) = mpsc::unbounded_channel();
    let address = serve_one(sender).await;
    let (mut client, connection) = conn::http1::handshake(connect(address).await)
        .await
        .unwrap();
    tokio::spawn(connection.with_upgrades());
    let mut upgrade = request(address, "42");
    upgrade
        .headers_mut()
        .insert(header::CONNECTION, "upgrade".parse().unwrap());
    upgrade
        .headers_mut()
        .insert(header::UPGRADE, "echo".parse().unwrap());
    let response = client.send_request(upgrade).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);

    let mut socket = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    socket.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    socket.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"ping");
    drop((socket, client));
    let seen = all(seen).await;
    for expected in ["upgraded", "read"] {
        assert!(
            seen.contains(&(expected, Some("42".to_owned()))),
            "{expected}: {seen:?}"
        );
    }
}

/// A gRPC service that notes the session of each call and each streamed message.
struct Noting(Seen);

#[tonic::async_trait]
impl Health for Noting {
    async fn check(
        &self,
        _: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, tonic::Status> {
        note(&self.0, "call");
        Ok(tonic::Response::new(HealthCheckResponse::default()))
    }

    type WatchStream = Pin<
        Box<dyn futures_util::Stream<Item = Result<HealthCheckResponse, tonic::Status>> + Send>,
    >;

    async fn watch(
        &self,
        _: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, tonic::Status> {
        let seen = self.0.clone();
        let stream = futures_util::stream::iter(0..3).map(move |_| {
            note(&seen, "message");
            Ok(HealthCheckResponse::default())
        });
        Ok(tonic::Response::new(Box::pin(stream)))
    }
}

#[tokio::test]
async fn tonic_serves_and_calls_in_the_session() {
    use openreplay_session::{SessionId, scope};

    let (sender, mut seen) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(
        tonic::transport::Server::builder()
            .layer(SessionLayer::new())
            .add_service(HealthServer::new(Noting(sender)))
            .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)),
    );
    let channel = tonic::transport::Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let channel = ServiceBuilder::new()
        .layer(PropagateSessionLayer::to_all_hosts())
        .service(channel);
    let mut client = HealthClient::new(channel);

    let id = Some("42".to_owned());
    scope(
        SessionId::from(42),
        client.check(HealthCheckRequest::default()),
    )
    .await
    .unwrap();
    assert_eq!(seen.recv().await, Some(("call", id.clone())));

    let mut stream = scope(
        SessionId::from(42),
        client.watch(HealthCheckRequest::default()),
    )
    .await
    .unwrap()
    .into_inner();
    for _ in 0..3 {
        assert!(stream.message().await.unwrap().is_some());
        assert_eq!(seen.recv().await, Some(("message", id.clone())));
    }

    client.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(seen.recv().await, Some(("call", None)));
}
