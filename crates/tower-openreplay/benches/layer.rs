//! What a request costs more with a layer than without: `cargo bench -p tower-openreplay`.
//!
//! Each round runs every case on a batch of browser-like requests, one after the other; a case's cost is the median over
//! the rounds of what it took more than the bare service on the same requests. `-- --quick` runs few rounds.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use sentry_core::{Client, ClientOptions, Envelope, Hub, Transport};
use sentry_tower::{NewSentryLayer, SentryHttpLayer};
use tower::{Layer as _, Service, ServiceBuilder, service_fn};
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_openreplay::SessionLayer;

const BATCH: usize = 20;
const ID: (&str, &str) = ("openReplaySession.id", "4950498349085463837");
const TOKEN: (&str, &str) = (
    "x-openreplay-sessiontoken",
    "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv",
);

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let rounds = if quick { 200 } else { 20_000 };
    let client = ClientOptions::new()
        .dsn("https://public@sentry.invalid/1")
        .transport(|_: &ClientOptions| -> Arc<dyn Transport> { Arc::new(Nowhere) });
    Hub::main().bind_client(Some(Arc::new(Client::from(client))));

    let request_id = || {
        ServiceBuilder::new()
            .layer(SetRequestIdLayer::x_request_id(NoRequestId))
            .layer(PropagateRequestIdLayer::x_request_id())
            .service(service_fn(answer))
    };
    let sentry = || {
        ServiceBuilder::new()
            .layer(NewSentryLayer::<Request<()>>::new_from_top())
            .layer(SentryHttpLayer::new())
            .service(service_fn(answer))
    };
    let session = || SessionLayer::new().layer(service_fn(answer));
    let id_sent = ("x-request-id", "4950498349085463837");
    let mut cases = [
        Case::new("SessionLayer, id", Some(ID), session()),
        Case::new("SessionLayer, token", Some(TOKEN), session()),
        Case::new("SessionLayer, nothing sent", None, session()),
        Case::new(
            "SetRequestId + PropagateRequestId, id",
            Some(id_sent),
            request_id(),
        ),
        Case::new("NewSentryLayer + SentryHttpLayer", Some(ID), sentry()),
    ];
    for _ in 0..rounds {
        cases.iter_mut().for_each(Case::round);
    }

    let costs: Vec<f64> = cases.iter_mut().map(Case::median).collect();
    println!(
        "{:<40} {:>10} {:>15} {:>10}",
        "added to a request", "ns", "of request-id", "of sentry"
    );
    for (case, cost) in cases.iter().zip(&costs) {
        println!(
            "{:<40} {cost:>10.1} {:>15.3} {:>10.3}",
            case.name,
            cost / costs[3],
            cost / costs[4]
        );
    }
}

type Run = Box<dyn FnMut(Vec<Request<()>>) -> f64>;

struct Case {
    name: &'static str,
    request: Request<()>,
    bare: Run,
    layered: Run,
    /// What the layer added, in nanoseconds a request, round by round.
    added: Vec<f64>,
}

impl Case {
    fn new<S, B>(name: &'static str, header: Option<(&str, &str)>, service: S) -> Self
    where
        S: Service<Request<()>, Response = Response<B>, Error = Infallible> + 'static,
        B: Body,
    {
        Self {
            name,
            request: browser_request(header),
            bare: run(service_fn(answer)),
            layered: run(service),
            added: Vec::new(),
        }
    }

    fn round(&mut self) {
        let requests = || (0..BATCH).map(|_| self.request.clone()).collect();
        let bare = (self.bare)(requests());
        let layered = (self.layered)(requests());
        self.added.push(layered - bare);
    }

    fn median(&mut self) -> f64 {
        self.added.sort_by(f64::total_cmp);
        self.added[self.added.len() / 2]
    }
}

/// Nanoseconds a request, from `call` to the drop of the body.
fn run<S, B>(mut service: S) -> Run
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible> + 'static,
    B: Body,
{
    Box::new(move |requests| {
        let mut cx = Context::from_waker(Waker::noop());
        let started = Instant::now();
        for request in requests {
            assert!(service.poll_ready(&mut cx).is_ready());
            let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut cx) else {
                panic!("the service is ready at once");
            };
            let (head, body) = response.into_parts();
            black_box(head);
            let mut body = pin!(body);
            while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
                black_box(frame.is_ok());
            }
        }
        started.elapsed().as_secs_f64() * 1e9 / BATCH as f64
    })
}

fn answer(request: Request<()>) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    black_box(request);
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"Success")))))
}

/// What Chromium sends with a `fetch`.
fn browser_request(header: Option<(&str, &str)>) -> Request<()> {
    let request = Request::get("/api/endpoint")
        .header("host", "shop.example")
        .header("connection", "keep-alive")
        .header("sec-ch-ua-platform", "\"Linux\"")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0",
        )
        .header(
            "sec-ch-ua",
            "\"Chromium\";v=\"156\", \"Not A(Brand\";v=\"24\"",
        )
        .header("sec-ch-ua-mobile", "?0")
        .header("accept", "*/*")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-dest", "empty")
        .header("referer", "https://shop.example/")
        .header("accept-encoding", "gzip, deflate, br, zstd")
        .header("accept-language", "en-US,en;q=0.9");
    let request = header.into_iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    request.body(()).expect("the headers above are legal")
}

/// All requests of the peer's case have an id.
#[derive(Clone)]
struct NoRequestId;

impl MakeRequestId for NoRequestId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        None
    }
}

struct Nowhere;

impl Transport for Nowhere {
    fn send_envelope(&self, _: Envelope) {}
}
