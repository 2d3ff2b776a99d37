//! What `RequestLogLayer` and `Failure` log, and that responses pass through. The workspace's
//! `tests/failed_requests` covers them over real servers.
#![cfg(feature = "axum")]

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::Pending,
    io, panic,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use test_kit::Lines;
use tower::{BoxError, Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_openreplay::{Failure, RequestLogLayer, SessionLayer, request_log::GrpcCode};
use tracing::info_span;
use tracing_subscriber::prelude::*;

/// Returns the records of a function.
fn logged(run: impl FnOnce()) -> String {
    let lines = Lines::default();
    let json = tracing_openreplay::json().with_writer(lines.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(json), run);
    lines.text()
}

fn request(path: &str) -> Request<()> {
    let request = Request::get(path).header("openReplaySession.id", "42");
    request.body(()).unwrap()
}

#[test]
fn the_body_of_a_response_passes_through_whether_or_not_it_is_logged() {
    let layer = RequestLogLayer::new().without_paths(["/health"]);
    for path in ["/health", "/items"] {
        for text in ["", "ok"] {
            let service = layer.layer(service_fn(|_: Request<()>| async {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text)))
            }));
            let response = service.oneshot(request(path)).now_or_never();
            let body = response.unwrap().unwrap().into_body();
            assert_eq!(body.is_end_stream(), text.is_empty(), "{path} {text}");
            let collected = body.collect().now_or_never().unwrap().unwrap();
            assert_eq!(collected.to_bytes(), text, "{path}");
        }
    }
}

#[test]
fn grpc_codes_that_are_not_listed_as_successes_are_failures() {
    let layer = RequestLogLayer::new_for_grpc().with_success_codes([GrpcCode::NotFound]);
    for (code, level) in [("5", "info"), ("13", "error")] {
        let service = layer.layer(service_fn(|_: Request<()>| async {
            let response = Response::builder().header("grpc-status", code);
            Ok::<_, Infallible>(response.body(Full::<Bytes>::default()).unwrap())
        }));
        let records = logged(|| drop(service.oneshot(request("/prices")).now_or_never()));
        let level = format!(r#""level":"{level}""#);
        assert!(records.contains(&level), "{code}: {records}");
    }
}

#[derive(Debug)]
struct NoPrice(io::Error);

impl fmt::Display for NoPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("order 17")
    }
}

impl Error for NoPrice {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_that_axum_wraps_is_logged_once_with_its_causes() {
    let service = RequestLogLayer::new().layer(service_fn(|_: Request<()>| async {
        let error = NoPrice(io::Error::other("no price"));
        Err::<Response<Full<Bytes>>, _>(axum::Error::new(axum::Error::new(error)))
    }));
    let records = logged(|| drop(service.oneshot(request("/")).now_or_never()));
    assert_eq!(
        records.matches("caused by: no price").count(),
        1,
        "{records}"
    );
    assert_eq!(records.matches("error=order 17").count(), 1, "{records}");
    assert!(!records.contains("caused by: order 17"), "{records}");
}

#[test]
fn the_causes_of_an_error_without_the_trait_are_logged_once_it_is_boxed() {
    let service = ServiceBuilder::new()
        .layer(RequestLogLayer::new())
        .map_err(BoxError::from)
        .service_fn(|_: Request<()>| async {
            let error = anyhow::Error::new(NoPrice(io::Error::other("no price")));
            Err::<Response<Full<Bytes>>, _>(error)
        });
    let records = logged(|| drop(service.oneshot(request("/")).now_or_never()));
    assert!(records.contains("error=order 17"), "{records}");
    assert!(records.contains("caused by: no price"), "{records}");
}

#[test]
fn an_error_is_logged_in_the_span_in_which_it_was_created() {
    let service = SessionLayer::new().layer(service_fn(|_: Request<()>| async {
        let failure = info_span!("order").in_scope(|| Failure::new("no price"));
        Ok::<_, Infallible>(failure.attach_to(Response::new(Full::<Bytes>::default())))
    }));
    let records = logged(|| drop(service.oneshot(request("/")).now_or_never()));
    assert!(records.contains("error=no price"), "{records}");
    assert!(records.contains(r#""name":"order""#), "{records}");
}

#[test]
fn an_error_that_is_taken_out_is_not_logged() {
    let records = logged(|| {
        let error = Failure::new(NoPrice(io::Error::other("no price"))).into_error();
        assert!(error.is::<NoPrice>());
        let again = Failure::from(error);
        assert!(again.error().is::<NoPrice>());
        drop(again.into_error());
    });
    assert_eq!(records, "");
}

#[derive(Debug)]
struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text")
    }
}

impl Error for Unreadable {}

#[test]
fn dropping_an_error_whose_text_panics_does_not_panic() {
    let layer = tracing_subscriber::fmt::layer().with_writer(io::sink);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        drop(Failure::new(Unreadable));
        let unwound = panic::catch_unwind(|| {
            let _failure = Failure::new(Unreadable);
            panic!("out of stock");
        });
        let payload = unwound.unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"out of stock"));
    });
}

#[test]
fn after_a_logged_request_the_error_of_an_excluded_one_is_still_logged_with_its_response() {
    let service = RequestLogLayer::new().without_paths(["/health"]);
    let service = service.layer(service_fn(|_: Request<()>| async {
        let response = Response::new(Full::<Bytes>::default());
        Ok::<_, Infallible>(Failure::new("no price").attach_to(response))
    }));
    let service = SessionLayer::new().layer(service);
    let mut held = Vec::new();
    let records = logged(|| {
        for path in ["/items", "/health"] {
            held.push(service.clone().oneshot(request(path)).now_or_never());
        }
    });
    assert_eq!(records.matches("error=no price").count(), 2, "{records}");
    drop(held);
}

/// A service that is never ready.
struct Busy;

impl Service<Request<()>> for Busy {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pending<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        std::future::pending()
    }
}

#[test]
fn the_service_is_not_ready_while_its_inner_service_is_not() {
    let mut service = RequestLogLayer::new().layer(Busy);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_pending());
}
