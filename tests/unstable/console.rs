//! With `console-subscriber`, Tokio gives each task a span, and each is an explicit root.

#![cfg(tokio_unstable)]

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    sync::{Arc, Mutex, OnceLock},
};

use axum::{Router, body::Body, http::Request, routing::get};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt as _;
use tower_openreplay::SessionLayer;
use tracing::{Instrument as _, Span, info, info_span};
use tracing_openreplay::LayerExt as _;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, filter_fn},
    fmt,
    prelude::*,
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

async fn work(mut jobs: mpsc::Receiver<oneshot::Sender<()>>) {
    while let Some(done) = jobs.recv().await {
        info!("worked");
        done.send(()).unwrap();
    }
}

async fn handler() {
    static WORKER: OnceLock<mpsc::Sender<oneshot::Sender<()>>> = OnceLock::new();
    let worker = WORKER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(work(receiver));
        sender
    });
    let (done, is_done) = oneshot::channel();
    worker.send(done).await.unwrap();
    is_done.await.unwrap();
    // a task of the request, within its span
    tokio::spawn(async { info!("spawned") }.in_current_span())
        .await
        .unwrap();
    info!("handled");
}

#[tokio::test]
async fn a_worker_that_the_first_request_spawns_is_in_no_session() {
    let lines = Lines::default();
    let writer = lines.clone();
    let (console, _server) = console_subscriber::ConsoleLayer::builder()
        .server_addr((Ipv4Addr::LOCALHOST, 0))
        .build();
    let task_spans = Arc::new(Mutex::new(0));
    let count = task_spans.clone();
    let counted = filter_fn(move |metadata| {
        *count.lock().unwrap() += usize::from(metadata.name() == "runtime.spawn");
        false
    });
    tracing_subscriber::registry()
        .with(console)
        // `with_session` outside of the filter sees Tokio's spans, too
        .with(
            fmt::layer()
                .with_ansi(false)
                .without_time()
                .with_target(false)
                .with_writer(move || writer.clone())
                .with_filter(LevelFilter::INFO)
                .with_session(),
        )
        .with(fmt::layer().with_writer(io::sink).with_filter(counted))
        .init();

    let app = Router::new()
        .route("/", get(|| handler().instrument(info_span!("request"))))
        .layer(SessionLayer::new());
    for id in ["1", "2", "3"] {
        let request = Request::get("/").header("openReplaySession.id", id);
        // as a server does it, in a task for the connection
        let request = app.clone().oneshot(request.body(Body::empty()).unwrap());
        tokio::spawn(request).await.unwrap().unwrap();
        let session = format!("[openReplaySession.id={id}]");
        assert_eq!(
            lines.take(),
            [
                "INFO worked".to_owned(),
                format!("INFO request: {session} spawned"),
                format!("INFO request: {session} handled"),
            ]
        );
    }
    assert!(Span::current().is_none());
    assert!(
        *task_spans.lock().unwrap() > 0,
        "Tokio makes no span for a task"
    );
}
