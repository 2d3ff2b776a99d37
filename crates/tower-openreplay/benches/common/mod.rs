//! Code that the benchmarks share: browser-like requests, and the measurement of a service.

mod request;

use std::{
    convert::Infallible,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use tower::Service;

pub(crate) use self::request::{browser_request, respond};

/// The number of requests in a batch. It is small so that the headers are in the cache, as if a
/// server had just parsed them.
pub(crate) const BATCH: usize = 20;

/// Runs a service on a batch of requests. Returns the nanoseconds per request.
pub(crate) type Run = Box<dyn FnMut(Vec<Request<Empty<Bytes>>>) -> f64>;

/// Measures a service from `call` to the drop of the body, which is read to its end.
pub(crate) fn run<S, B>(mut service: S) -> Run
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible> + 'static,
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

pub(crate) fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
