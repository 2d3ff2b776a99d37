//! gRPC-Web, over a socket: a page cannot read trailers, so `GrpcWebLayer` moves them into the
//! body.

use openreplay_session::SessionId;
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};
use tonic_web::GrpcWebLayer;
use tower_openreplay::{RequestLogLayer, SessionLayer};

use crate::{
    Logged,
    grpc::{OK, Stock, lines},
    new_session, wait_for,
};

const INTERNAL: &str = "13";
const TRAILERS: u8 = 0x80;

/// Asks a server for the price of an item, as a page does. Returns the code of the status and the
/// records.
async fn send<F>(serve: impl FnOnce(TcpIncoming) -> F, item: &'static str) -> (String, Vec<Logged>)
where
    F: Future<Output: Send> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/shop.Stock/Prices",
        listener.local_addr().unwrap()
    );
    tokio::spawn(serve(TcpIncoming::from(listener)));
    let session = new_session();
    let call = move || call(&url, session, item);
    let code = tokio::task::spawn_blocking(call).await.unwrap();
    (code, wait_for(session, 1).await)
}

fn call(url: &str, session: SessionId, item: &str) -> String {
    // a message whose first field is the text
    let mut message = vec![10, u8::try_from(item.len()).unwrap()];
    message.extend_from_slice(item.as_bytes());
    let mut frame = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    frame.append(&mut message);

    let mut response = ureq::post(url)
        .header("content-type", "application/grpc-web+proto")
        .header("openReplaySession.id", session.as_str())
        .send(&frame)
        .unwrap();
    let in_headers = response.headers().get("grpc-status").cloned();
    let body = response.body_mut().read_to_vec().unwrap();
    match in_headers {
        Some(code) => code.to_str().unwrap().to_owned(),
        None => code_in(&body),
    }
}

/// The code in the last frame, which holds the trailers.
fn code_in(mut body: &[u8]) -> String {
    while let Some((head, rest)) = body.split_first_chunk::<5>() {
        let [kind, length @ ..] = *head;
        let (frame, rest) = rest.split_at(u32::from_be_bytes(length) as usize);
        body = rest;
        if kind == TRAILERS {
            let trailers = str::from_utf8(frame).unwrap();
            let mut lines = trailers.lines();
            let code = lines.find_map(|line| line.strip_prefix("grpc-status:"));
            return code.unwrap().to_owned();
        }
    }
    panic!("no trailers");
}

async fn in_the_guides_order(item: &'static str) -> (String, Vec<Logged>) {
    let server = Server::builder()
        .accept_http1(true)
        .layer(SessionLayer::new())
        .layer(GrpcWebLayer::new())
        .layer(RequestLogLayer::new_for_grpc())
        .add_service(Stock);
    send(|incoming| server.serve_with_incoming(incoming), item).await
}

async fn in_the_other_order(item: &'static str) -> (String, Vec<Logged>) {
    let server = Server::builder()
        .accept_http1(true)
        .layer(SessionLayer::new())
        .layer(RequestLogLayer::new_for_grpc())
        .layer(GrpcWebLayer::new())
        .add_service(Stock);
    send(|incoming| server.serve_with_incoming(incoming), item).await
}

/// The one record of a request whose status is in the headers.
const FAILED: (&str, &str) = (
    "error",
    "POST /shop.Stock/Prices 200 error=Internal: no price: 100 % duration_ms=_",
);

#[tokio::test]
async fn a_status_in_the_trailers_is_one_error_record_with_its_message() {
    let (code, records) = in_the_guides_order("trailers").await;
    assert_eq!(code, INTERNAL);
    let failed =
        "POST /shop.Stock/Prices body failed error=Internal: no price: 100 % duration_ms=_";
    assert_eq!(lines(&records), [OK, ("error", failed)]);
}

#[tokio::test]
async fn a_status_in_the_headers_is_one_record_in_either_order() {
    for (code, records) in [
        in_the_guides_order("head").await,
        in_the_other_order("head").await,
    ] {
        assert_eq!(code, INTERNAL);
        assert_eq!(lines(&records), [FAILED]);
    }
}

#[tokio::test]
async fn outside_of_grpc_web_a_status_in_the_trailers_is_not_seen() {
    let (code, records) = in_the_other_order("trailers").await;
    assert_eq!(code, INTERNAL);
    assert_eq!(lines(&records), [OK]);
}

#[tokio::test]
async fn a_success_is_one_record() {
    let (code, records) = in_the_guides_order("teapot").await;
    assert_eq!(code, "0");
    assert_eq!(lines(&records), [OK]);
}
