//! Services without axum: hyper over a socket, and plain Tower.

use std::{error::Error, fmt, future::ready, io};

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpListener;
use tower::{Service as _, ServiceBuilder, ServiceExt as _, service_fn};
use tower_openreplay::{RequestLogLayer, SessionLayer};

use crate::{assert_logged, logged_in, new_session, wait_for};

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

fn no_price() -> NoPrice {
    NoPrice(io::Error::other("no price"))
}

#[tokio::test]
async fn an_error_of_a_hyper_service_is_one_record() {
    let fails =
        |_: Request<hyper::body::Incoming>| async { Err::<Response<Body>, NoPrice>(no_price()) };
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(RequestLogLayer::new().with_causes_of::<NoPrice>())
        .service_fn(fails);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let served = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service))
            .await;
        assert!(served.unwrap_err().is_user(), "the error passes through");
    });
    let session = new_session();
    let send = move || {
        let request = ureq::get(format!("http://{address}/api/err?secret=7"));
        request
            .header("openReplaySession.id", session.as_str())
            .call()
            .map(drop)
    };
    assert!(tokio::task::spawn_blocking(send).await.unwrap().is_err());
    let records = wait_for(session, 1).await;
    assert_logged(
        &records,
        "error",
        "GET /api/err failed error=order 17 duration_ms=_\nerror caused by: no price",
    );
}

/// The record of a service that returns this error.
async fn message_of<E: fmt::Display + fmt::Debug + 'static>(
    layer: RequestLogLayer,
    error: impl Fn() -> E + Clone,
) -> String {
    let session = new_session();
    let fails = move |_: Request<()>| {
        let error = error();
        async { Err::<Response<Body>, E>(error) }
    };
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(layer);
    let request = Request::get("/").header("openReplaySession.id", session.as_str());
    let response = service
        .service(service_fn(fails))
        .oneshot(request.body(()).unwrap())
        .await;
    assert!(response.is_err());
    let mut records = logged_in(session);
    assert_eq!(records.len(), 1, "{records:#?}");
    records.remove(0).message
}

#[tokio::test]
async fn causes_are_logged_where_the_type_tells_them() {
    let with_causes = "GET / failed error=order 17 duration_ms=_\nerror caused by: no price";
    let without = "GET / failed error=order 17 duration_ms=_";
    let layer = RequestLogLayer::new;
    let boxed = || -> Box<dyn Error + Send + Sync> { Box::new(no_price()) };
    assert_eq!(message_of(layer(), boxed).await, with_causes);
    let boxed = || -> Box<dyn Error> { Box::new(no_price()) };
    assert_eq!(message_of(layer(), boxed).await, with_causes);
    let wrapped = || io::Error::other(NoPrice(io::Error::other("no price")));
    assert_eq!(message_of(layer(), wrapped).await, with_causes);
    assert_eq!(message_of(layer(), no_price).await, without);
    let named = layer().with_causes_of::<NoPrice>();
    assert_eq!(message_of(named, no_price).await, with_causes);
    let text = message_of(layer(), || "order 17").await;
    assert_eq!(text, without);
}

#[tokio::test]
async fn the_user_of_a_tunnel_is_not_logged() {
    let session = new_session();
    let mut service = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(RequestLogLayer::new())
        .service(service_fn(|_: Request<()>| {
            tracing::info!("opened");
            ready(Ok::<_, io::Error>(Response::new(Body::empty())))
        }));
    let request = Request::connect("user:secret@stock.internal:443")
        .header("openReplaySession.id", session.as_str());
    let response = service.call(request.body(()).unwrap());
    let shown = format!("{response:?}");
    let body = response.await.unwrap().into_body();
    for shown in [shown, format!("{body:?}")] {
        assert!(shown.contains("stock.internal:443"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
    let records = logged_in(session);
    let messages = records.iter().map(|record| record.message.as_str());
    let expected = ["opened", "CONNECT stock.internal:443 200 duration_ms=_"];
    assert!(messages.eq(expected), "{records:#?}");
    for record in &records {
        assert_eq!(record.spans[0]["fields"]["path"], "stock.internal:443");
    }
}
