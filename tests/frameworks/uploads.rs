//! reqwest: the body of a request, which the task of the connection polls, and its headers.

use std::convert::Infallible;

use axum::{
    Router,
    body::Bytes,
    http::HeaderMap,
    routing::{get, post},
};
use futures_util::{StreamExt as _, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use tower_openreplay::{SessionBody, openreplay_session::scope, propagate_session, session_of};

use crate::{Seen, serve, session};

#[tokio::test]
async fn an_upload_is_polled_in_the_session_that_its_body_takes_along() {
    let address =
        serve(Router::new().route("/", post(async |body: Bytes| body.len().to_string()))).await;
    let (taken, bare) = (Seen::default(), Seen::default());
    for (seen, takes) in [(&taken, true), (&bare, false)] {
        let noted = seen.clone();
        let frames = stream::iter(["two", "frames"]).map(move |text| {
            noted.note();
            Ok::<_, Infallible>(Frame::data(Bytes::from(text)))
        });
        let upload = async {
            let body = StreamBody::new(frames);
            let body = if takes {
                reqwest::Body::wrap(SessionBody::in_current_session(body))
            } else {
                reqwest::Body::wrap(body)
            };
            let client = reqwest::Client::builder()
                .http2_prior_knowledge()
                .build()
                .unwrap();
            let request = client.post(format!("http://{address}/")).body(body);
            request.send().await.unwrap().text().await.unwrap()
        };
        assert_eq!(scope(session(), upload).await, "9");
    }
    taken.all_in(session());
    // of the task of the connection, but for what reqwest polls before it hands the body over
    let last = bare.0.lock().unwrap().last().copied();
    assert_eq!(last, Some(None));
}

#[tokio::test]
async fn the_next_service_reads_the_session() {
    let read = async |headers: HeaderMap| format!("{:?}", session_of(&headers));
    let address = serve(Router::new().route("/", get(read))).await;
    let request = async {
        let mut headers = HeaderMap::new();
        propagate_session(&mut headers);
        let request = reqwest::Client::new().get(format!("http://{address}/"));
        let response = request.headers(headers).send().await.unwrap();
        response.text().await.unwrap()
    };
    let read = scope(session(), request).await;
    assert_eq!(read, format!("{:?}", session()));
}
