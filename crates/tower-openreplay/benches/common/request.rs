//! A browser-like request, and a service that responds to it at once.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};

pub(crate) fn respond(
    request: Request<Empty<Bytes>>,
) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    black_box(request);
    ready(Ok(Response::new(Full::new(Bytes::from_static(b"Success")))))
}

/// Creates a request with the headers that Chromium sends with `fetch`.
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
