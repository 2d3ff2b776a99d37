//! `tower::buffer`, whose worker calls the inner service in a task of its own.

use std::convert::Infallible;

use http::{HeaderMap, Request, Response};
use tower::{Layer as _, Service as _, ServiceExt as _, buffer::Buffer, service_fn};
use tower_openreplay::{
    PropagateSessionLayer, SessionLayer, openreplay_session::scope, session_of,
};

use crate::{ID, Seen, session};

fn request() -> Request<()> {
    let request = Request::get("/").header("openReplaySession.id", ID);
    request.body(()).unwrap()
}

#[tokio::test]
async fn inside_a_buffer_the_session_layer_covers_the_call_and_the_future() {
    let (call, future) = (Seen::default(), Seen::default());
    let (in_call, in_future) = (call.clone(), future.clone());
    let service = SessionLayer::new().layer(service_fn(move |_: Request<()>| {
        in_call.note();
        let in_future = in_future.clone();
        async move {
            in_future.note();
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    }));
    Buffer::new(service, 1).oneshot(request()).await.unwrap();
    call.all_in(session());
    future.all_in(session());
}

#[tokio::test]
async fn outside_of_a_buffer_it_covers_the_future_alone() {
    let (call, future) = (Seen::default(), Seen::default());
    let (in_call, in_future) = (call.clone(), future.clone());
    let service = service_fn(move |_: Request<()>| {
        in_call.note();
        let in_future = in_future.clone();
        async move {
            in_future.note();
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let service = SessionLayer::new().layer(Buffer::new(service, 1));
    service.oneshot(request()).await.unwrap();
    call.all_in(None);
    future.all_in(session());
}

/// The headers that a client sends in the visitor's session.
async fn sent(layer_is_inside: bool) -> HeaderMap {
    let client = service_fn(|request: Request<()>| async move {
        Ok::<_, Infallible>(Response::new(request.headers().clone()))
    });
    let layer = PropagateSessionLayer::to_all_hosts();
    let request = Request::get("http://stock.internal/").body(()).unwrap();
    let response = async {
        if layer_is_inside {
            let mut client = Buffer::new(layer.layer(client), 1);
            client.ready().await.unwrap().call(request).await.unwrap()
        } else {
            let mut client = layer.layer(Buffer::new(client, 1));
            client.ready().await.unwrap().call(request).await.unwrap()
        }
    };
    scope(session(), response).await.into_body()
}

#[tokio::test]
async fn a_client_sends_the_session_only_where_its_layer_is_outside_of_the_buffer() {
    assert_eq!(session_of(&sent(false).await), session());
    assert!(sent(true).await.is_empty());
}
