//! Measures the time that a layer adds to a request: `cargo bench -p tower-openreplay`.
//!
//! Each round runs every case on a batch of browser-like requests, one after the other. The result
//! of a case is the median of the time that it took in addition to the bare service, over all
//! rounds. `-- --quick` runs fewer rounds.

mod common;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use sentry_core::{Client, ClientOptions, Envelope, Hub, Transport};
use sentry_tower::{NewSentryLayer, SentryHttpLayer};
use tower::{Layer as _, Service, ServiceBuilder, service_fn};
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_openreplay::SessionLayer;

use self::common::{BATCH, Run, browser_request, median, respond, run};

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
            .service(service_fn(respond))
    };
    let sentry = || {
        ServiceBuilder::new()
            .layer(NewSentryLayer::<Request<Empty<Bytes>>>::new_from_top())
            .layer(SentryHttpLayer::new())
            .service(service_fn(respond))
    };
    let session = || SessionLayer::new().layer(service_fn(respond));
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

    let costs: Vec<f64> = cases
        .iter_mut()
        .map(|case| median(&mut case.added))
        .collect();
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

struct Case {
    name: &'static str,
    request: Request<Empty<Bytes>>,
    bare: Run,
    layered: Run,
    /// The nanoseconds per request that the layer added in each round.
    added: Vec<f64>,
}

impl Case {
    fn new<S, B>(name: &'static str, header: Option<(&str, &str)>, service: S) -> Self
    where
        S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible> + 'static,
        B: Body,
    {
        Self {
            name,
            request: browser_request(header),
            bare: run(service_fn(respond)),
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
}

/// Every request of the peer's case has an id.
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
