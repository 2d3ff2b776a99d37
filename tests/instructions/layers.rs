//! The layers of a request.

use std::{
    convert::Infallible,
    hint::black_box,
    io,
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use tower::{Service, ServiceBuilder, layer::layer_fn, service_fn};
use tower_http::{
    LatencyUnit,
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::{DefaultOnResponse, TraceLayer},
};
use tower_openreplay::{RequestLogLayer, SessionLayer};
use tracing::{Dispatch, Level, Span, dispatcher::with_default, info_span};
use tracing_openreplay::json;
use tracing_subscriber::{Layer, Registry, filter::LevelFilter, fmt, prelude::*};

use self::request::{browser_request, respond};
use crate::{Case, Comparison, Measure, callgrind::TIMES};

#[path = "../../crates/tower-openreplay/benches/common/request.rs"]
mod request;

type Sent = Request<Empty<Bytes>>;

const BARE: &str = "no layer";
const REQUEST_IDS: &str = "SetRequestId + PropagateRequestId, id";

const ID: (&str, &str) = ("openReplaySession.id", "4950498349085463837");
const REQUEST_ID: (&str, &str) = ("x-request-id", "4950498349085463837");
const TOKEN: (&str, &str) = (
    "x-openreplay-sessiontoken",
    "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv",
);

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let none = Dispatch::none();
    let fmt_json = logged(fmt::layer().json().with_writer(io::sink));
    let ours = logged(json().with_writer(io::sink));
    [
        case(BARE, &none, None, || service_fn(respond)),
        case("SessionLayer, id", &none, Some(ID), session),
        case("SessionLayer, token", &none, Some(TOKEN), session),
        case("SessionLayer, nothing sent", &none, None, session),
        case(REQUEST_IDS, &none, Some(REQUEST_ID), request_id),
        case("RequestLogLayer, no subscriber", &none, Some(ID), log),
        case("RequestLogLayer + json()", &ours, Some(ID), log),
        case("TraceLayer + json()", &ours, Some(ID), traced),
        case("TraceLayer + fmt json", &fmt_json, Some(ID), traced),
        case("axum", &none, Some(ID), router),
        case("axum, a layer that does nothing", &none, Some(ID), || {
            router().layer(layer_fn(|inner| Nothing { inner }))
        }),
        case("axum, SessionLayer", &none, Some(ID), || {
            router().layer(SessionLayer::new())
        }),
        case("axum, RequestLogLayer + json()", &ours, Some(ID), || {
            let router = router().layer(RequestLogLayer::new());
            router.layer(SessionLayer::new())
        }),
    ]
    .into_iter()
}

pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    [
        ("SessionLayer, id", REQUEST_IDS, 42.0),
        ("SessionLayer, nothing sent", REQUEST_IDS, 20.0),
        ("RequestLogLayer + json()", "TraceLayer + fmt json", 28.0),
        ("RequestLogLayer + json()", "TraceLayer + json()", 110.0),
    ]
    .into_iter()
    .map(|(subject, peer, limit)| Comparison {
        subject: subject.to_owned(),
        peer: peer.to_owned(),
        without: Some(BARE),
        limit,
    })
}

fn logged(layer: impl Layer<Registry> + Send + Sync) -> Dispatch {
    let registry = tracing_subscriber::registry().with(layer);
    Dispatch::new(registry.with(LevelFilter::INFO))
}

fn session() -> impl Service<Sent, Response = Response<impl Body>, Error = Infallible> {
    ServiceBuilder::new()
        .layer(SessionLayer::new())
        .service_fn(respond)
}

fn request_id() -> impl Service<Sent, Response = Response<impl Body>, Error = Infallible> {
    ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(NoRequestId))
        .layer(PropagateRequestIdLayer::x_request_id())
        .service_fn(respond)
}

fn log() -> impl Service<Sent, Response = Response<impl Body>, Error = Infallible> {
    ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(RequestLogLayer::new())
        .service_fn(respond)
}

fn traced() -> impl Service<Sent, Response = Response<impl Body>, Error = Infallible> {
    let on_response = DefaultOnResponse::new().level(Level::INFO);
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_response(on_response.latency_unit(LatencyUnit::Micros));
    ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(trace)
        .service_fn(respond)
}

fn router() -> Router {
    Router::new().route("/api/endpoint", get(|| async { "Success" }))
}

/// Counts a service from `call` to the drop of the body, which is read to its end.
fn case<S, B>(
    name: &'static str,
    dispatch: &Dispatch,
    header: Option<(&'static str, &'static str)>,
    service: impl Fn() -> S + 'static,
) -> Case
where
    S: Service<Sent, Response = Response<B>, Error = Infallible> + 'static,
    B: Body,
{
    let dispatch = dispatch.clone();
    let name = name.to_owned();
    let run = move |measure: Measure<'_>| {
        let mut service = service();
        let mut requests = vec![browser_request(header); TIMES].into_iter();
        with_default(&dispatch, || {
            measure(&mut || {
                for request in &mut requests {
                    serve(&mut service, request);
                }
            });
        });
    };
    Case {
        name,
        run: Box::new(run),
    }
}

fn serve<S, B>(service: &mut S, request: Sent)
where
    S: Service<Sent, Response = Response<B>, Error = Infallible>,
    B: Body,
{
    let mut cx = Context::from_waker(Waker::noop());
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

/// The span of `RequestLogLayer`.
fn span(request: &Sent) -> Span {
    info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = tracing::field::Empty,
    )
}

/// All requests of the peer's case have an id.
#[derive(Clone)]
struct NoRequestId;

impl MakeRequestId for NoRequestId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        None
    }
}

#[derive(Clone)]
struct Nothing<S> {
    inner: S,
}

impl<S: Service<R>, R> Service<R> for Nothing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.inner.call(request)
    }
}
