//! The layer together with tower-http's layers, in the documented order.

use std::{
    convert::Infallible,
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, routing::get};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use openreplay_session::current;
use tower::{Layer as _, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{Any, CorsLayer},
    trace::{DefaultOnBodyChunk, DefaultOnEos, DefaultOnRequest, TraceLayer},
};
use tower_openreplay::{SessionLayer, header_names};
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    fmt::{FormatEvent, FormatFields, MakeWriter, format::Writer},
    registry::LookupSpan,
};

/// Formats an event as the session in which it was logged, and its fields.
struct MessageAndSession;

impl<S, N> FormatEvent<S, N> for MessageAndSession
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &tracing_subscriber::fmt::FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> std::fmt::Result {
        write!(
            writer,
            "{} ",
            current().map_or_else(|| "none".to_owned(), |id| id.to_string())
        )?;
        context
            .field_format()
            .format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Returns the session of each line and the beginning of its message.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines()
            .map(|line| {
                line.split_inclusive(' ')
                    .take(4)
                    .collect::<String>()
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logging() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(Level::TRACE)
        .event_format(MessageAndSession)
        .with_writer(lines.clone())
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { tracing::info!("in the handler") }))
        .route(
            "/error",
            get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
        )
        .route("/panic", get(async || -> () { panic!("on purpose") }))
}

macro_rules! trace {
    () => {
        TraceLayer::new_for_http()
            .on_request(DefaultOnRequest::new().level(Level::INFO))
            .on_body_chunk(DefaultOnBodyChunk::new())
            .on_eos(DefaultOnEos::new().level(Level::INFO))
    };
}

fn request(uri: &str) -> Request<Body> {
    Request::get(uri)
        .header("openReplaySession.id", "42")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn inside_the_layer_traces_and_caught_panics_are_in_the_session() {
    let (lines, _guard) = logging();
    let app = routes()
        .layer(CatchPanicLayer::new())
        .layer(trace!())
        .layer(SessionLayer::new());

    let response = app.clone().oneshot(request("/")).await.unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(
        lines.take(),
        [
            "42 started processing request",
            "42 in the handler",
            "42 finished processing request",
            "42 end of stream"
        ]
        .map(str::to_owned)
    );

    assert_eq!(
        app.clone()
            .oneshot(request("/error"))
            .await
            .unwrap()
            .status(),
        500
    );
    let failed = lines.take();
    assert!(
        failed.contains(&"42 response failed classification=Status".to_owned()),
        "{failed:?}"
    );
    assert!(
        failed.iter().all(|line| line.starts_with("42 ")),
        "{failed:?}"
    );

    assert_eq!(app.oneshot(request("/panic")).await.unwrap().status(), 500);
    let panicked = lines.take();
    assert!(
        panicked.contains(&"42 Service panicked: on".to_owned()),
        "{panicked:?}"
    );
    assert!(
        panicked.iter().all(|line| line.starts_with("42 ")),
        "{panicked:?}"
    );
}

#[tokio::test]
async fn outside_the_layer_traces_are_in_no_session() {
    let (lines, _guard) = logging();
    let app = routes().layer(SessionLayer::new()).layer(trace!());
    app.oneshot(request("/")).await.unwrap();
    assert_eq!(
        lines.take(),
        [
            "none started processing request",
            "42 in the handler",
            "none finished processing request"
        ]
        .map(str::to_owned)
    );
}

#[tokio::test]
async fn the_chunks_and_the_end_of_a_traced_body_are_in_the_session() {
    let (lines, _guard) = logging();
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new())
        .layer(trace!())
        .service(service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(Response::new(String::from("chunk")))
        }));
    let response = service.oneshot(request("/")).await.unwrap();
    lines.take();
    response.into_body().collect().await.unwrap();
    let body = lines.take();
    assert!(
        !body.is_empty() && body.iter().all(|line| line.starts_with("42 ")),
        "{body:?}"
    );
}

fn preflight() -> Request<Body> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri("/")
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "GET")
        .header(
            "access-control-request-headers",
            "openreplaysession.id,x-openreplay-session-token,x-openreplay-sessiontoken",
        )
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn the_response_to_a_preflight_allows_the_names() {
    let cors = || {
        CorsLayer::new()
            .allow_origin(Any)
            .allow_headers(header_names())
    };
    for app in [
        routes().layer(SessionLayer::new()).layer(cors()),
        routes().layer(cors()).layer(SessionLayer::new()),
    ] {
        let response = app.oneshot(preflight()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()["access-control-allow-headers"],
            "openreplaysession.id,x-openreplay-sessiontoken,x-openreplay-session-token"
        );
    }
}

#[tokio::test]
async fn a_layer_that_responds_on_its_own_can_wrap_the_layer_without_axum() {
    let service = ServiceBuilder::new()
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_headers(header_names()),
        )
        .layer(SessionLayer::new())
        .service(service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(Response::new(String::from("own")))
        }));
    let response = service.oneshot(preflight()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "");
}

#[tokio::test]
async fn the_documented_order_compiles_with_a_service_builder() {
    // `CorsLayer` needs a body with a default, which the bodies of the inner layers lack.
    let service = ServiceBuilder::new()
        .layer(CorsLayer::new().allow_headers(header_names()))
        .layer(SessionLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(CatchPanicLayer::new())
        .service(service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(Response::new(current().unwrap().to_string()))
        }));
    let response = service.clone().oneshot(preflight()).await.unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(0));
    assert!(response.body().is_end_stream());
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "");

    let response = service.oneshot(request("/")).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "42"
    );
}

#[tokio::test]
async fn a_panic_unwinds_in_the_session_and_leaves_no_session_behind() {
    struct OnDrop;
    impl Drop for OnDrop {
        fn drop(&mut self) {
            tracing::info!("dropped");
        }
    }
    let (lines, _guard) = logging();
    let service = SessionLayer::new().layer(service_fn(|_: Request<Body>| async {
        let _on_drop = OnDrop;
        tokio::task::yield_now().await;
        if true {
            panic!("on purpose");
        }
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    // The panic is caught in the same task, where a session left behind would be visible.
    let caught = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(
        service.oneshot(request("/")),
    ))
    .await;
    assert!(caught.is_err());
    assert_eq!(lines.take(), ["42 dropped"]);
    assert_eq!(current(), None);
}
