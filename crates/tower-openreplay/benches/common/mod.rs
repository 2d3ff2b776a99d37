//! What the benchmarks share: a request like a browser's, and the time that a service takes for it.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Empty, Full};
use tower::Service;

/// Requests at a time: few, so that their headers are in the cache, as if a server had just parsed
/// them.
pub(crate) const BATCH: usize = 20;

/// Runs a service on a batch of requests. Returns nanoseconds per request.
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

pub(crate) fn answer(
    request: Request<Empty<Bytes>>,
) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    black_box(request);
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"Success")))))
}

/// What Chromium sends with a `fetch`.
pub(crate) fn browser_request(header: Option<(&str, &str)>) -> Request<Empty<Bytes>> {
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
    request
        .body(Empty::new())
        .expect("the headers above are legal")
}

pub(crate) fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
