//! The layers do not allocate, whatever a request contains. Allocations are counted per thread.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use openreplay_session::current;
use tower::{Layer as _, Service as _, service_fn};
use tower_openreplay::{PropagateSessionLayer, SessionLayer};

const TOKEN: &str = "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv";

type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], bool);

#[track_caller]
fn poll<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future is not ready at once"),
    }
}

fn respond(_: Request<()>) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"answer")))))
}

#[test]
fn a_request_through_the_layer_allocates_nothing() {
    let joined = format!("undefined, own, {TOKEN}");
    let rows: &[Row<'_>] = &[
        ("no header", "/", &[], false),
        (
            "other headers",
            "/",
            &[("accept", "*/*"), ("x-request-id", "1")],
            false,
        ),
        (
            "an id",
            "/",
            &[("openReplaySession.id", "4950498349085463837")],
            true,
        ),
        (
            "a malformed one",
            "/",
            &[("openReplaySession.id", "a b")],
            false,
        ),
        (
            "two",
            "/",
            &[("openReplaySession.id", "1"), ("openReplaySession.id", "2")],
            false,
        ),
        (
            "a token",
            "/",
            &[("X-OpenReplay-SessionToken", TOKEN)],
            true,
        ),
        (
            "joined under the id's name",
            "/",
            &[("openReplaySession.id", &joined)],
            true,
        ),
        (
            "both spellings",
            "/",
            &[
                ("X-OpenReplay-SessionToken", TOKEN),
                ("X-OpenReplay-Session-Token", TOKEN),
            ],
            true,
        ),
        ("a query parameter", "/?a=1&id=a%2Db+c&id=7", &[], false),
        ("a good one", "/?a=1&id=a%2Db", &[], true),
    ];
    for (name, uri, headers, expected) in rows {
        let request = headers
            .iter()
            .fold(Request::get(*uri), |request, (name, value)| {
                request.header(*name, *value)
            });
        let request = request.body(()).unwrap();
        let mut service = SessionLayer::new()
            .with_query_parameter("id")
            .layer(service_fn(|request| {
                assert_eq!(current().is_some(), *expected, "{name}");
                respond(request)
            }));
        let mut clones: Vec<_> = (0..10).map(|_| request.clone()).collect();
        let info = allocation_counter::measure(|| {
            for request in clones.drain(..) {
                let mut body = pin!(poll(service.call(request)).unwrap().into_body());
                while let Poll::Ready(Some(_)) = body
                    .as_mut()
                    .poll_frame(&mut Context::from_waker(Waker::noop()))
                {}
            }
        });
        assert_eq!((info.count_total, info.bytes_total), (0, 0), "{name}");
    }
}

#[test]
fn a_request_that_gets_no_header_allocates_nothing() {
    let hosts = ["stock.internal:8080", "[::1]"];
    let mut client = PropagateSessionLayer::to_hosts(hosts)
        .unwrap()
        .layer(service_fn(respond));
    let request = || Request::get("http://example.com/");
    let with_tokens = request()
        .header("accept", "*/*")
        .header("openReplaySession.id", TOKEN)
        .header("X-OpenReplay-SessionToken", TOKEN)
        .header("X-OpenReplay-Session-Token", TOKEN);
    for request in [request(), with_tokens] {
        let request = Some(request.body(()).unwrap());
        let mut requests = [request.clone(), request];
        let info = allocation_counter::measure(|| {
            openreplay_session::sync_scope(openreplay_session::SessionId::from(42), || {
                drop(client.call(requests[0].take().unwrap()));
            });
            drop(client.call(requests[1].take().unwrap()));
        });
        assert_eq!(info.count_total, 0);
    }
}
