//! Measures the time that logging a request to a sink takes: `cargo bench -p tower-openreplay
//! --bench request_log`.
//!
//! Each round runs every case on a batch of browser-like requests of one session, one after the
//! other. The result of a case is the median of the time that it took in addition to the bare
//! service, over all rounds. `-- --quick` runs fewer rounds.

mod common;

use std::{convert::Infallible, io};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use tower::{Service, ServiceBuilder, service_fn};
use tower_http::{
    LatencyUnit,
    trace::{DefaultOnResponse, TraceLayer},
};
use tower_openreplay::{RequestLogLayer, SessionLayer};
use tracing::{Dispatch, Level, Span, dispatcher::with_default, info_span};
use tracing_openreplay::json;
use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

use self::common::{BATCH, Run, browser_request, median, respond, run};

const ID: (&str, &str) = ("openReplaySession.id", "4950498349085463837");

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let rounds = if quick { 100 } else { 5_000 };
    let ours = Dispatch::new(
        tracing_subscriber::registry()
            .with(json().with_writer(io::sink))
            .with(LevelFilter::INFO),
    );
    let fmt_json = Dispatch::new(
        tracing_subscriber::registry()
            .with(fmt::layer().json().with_writer(io::sink))
            .with(LevelFilter::INFO),
    );
    let request_log = || {
        ServiceBuilder::new()
            .layer(SessionLayer::new())
            .layer(RequestLogLayer::new())
            .service(service_fn(respond))
    };
    let traced = || {
        let on_response = DefaultOnResponse::new().level(Level::INFO);
        let trace = TraceLayer::new_for_http()
            .make_span_with(span)
            .on_response(on_response.latency_unit(LatencyUnit::Micros));
        ServiceBuilder::new()
            .layer(SessionLayer::new())
            .layer(trace)
            .service(service_fn(respond))
    };
    let session = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .service(service_fn(respond));
    let mut cases = [
        Case::new("TraceLayer + fmt json", &fmt_json, traced()),
        Case::new("TraceLayer + json()", &ours, traced()),
        Case::new("RequestLogLayer + json()", &ours, request_log()),
        Case::new(
            "RequestLogLayer, no subscriber",
            &Dispatch::none(),
            request_log(),
        ),
        Case::new("SessionLayer alone", &ours, session),
    ];
    for _ in 0..rounds {
        cases.iter_mut().for_each(Case::round);
    }

    let costs: Vec<f64> = cases
        .iter_mut()
        .map(|case| median(&mut case.added))
        .collect();
    println!(
        "{:<32} {:>10} {:>18} {:>18}",
        "added to a request", "ns", "of Trace + fmt", "of Trace + json()"
    );
    for (case, cost) in cases.iter().zip(&costs) {
        println!(
            "{:<32} {cost:>10.1} {:>18.3} {:>18.3}",
            case.name,
            cost / costs[0],
            cost / costs[1]
        );
    }
}

/// Creates the same span as `RequestLogLayer`.
fn span(request: &Request<Empty<Bytes>>) -> Span {
    info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = tracing::field::Empty,
    )
}

struct Case {
    name: &'static str,
    dispatch: Dispatch,
    request: Request<Empty<Bytes>>,
    bare: Run,
    layered: Run,
    /// The nanoseconds per request that the layers added in each round.
    added: Vec<f64>,
}

impl Case {
    fn new<S, B>(name: &'static str, dispatch: &Dispatch, service: S) -> Self
    where
        S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible> + 'static,
        B: Body,
    {
        Self {
            name,
            dispatch: dispatch.clone(),
            request: browser_request(Some(ID)),
            bare: run(service_fn(respond)),
            layered: run(service),
            added: Vec::new(),
        }
    }

    fn round(&mut self) {
        let requests = || (0..BATCH).map(|_| self.request.clone()).collect();
        let bare = (self.bare)(requests());
        let (layered, requests) = (&mut self.layered, requests());
        let layered = with_default(&self.dispatch, || layered(requests));
        self.added.push(layered - bare);
    }
}
