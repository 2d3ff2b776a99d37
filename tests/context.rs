//! Every record that a request causes carries its session: a real server, real sockets, and all the
//! ways in which work outlives, leaves or breaks off a request.

use std::{
    convert::Infallible,
    io::{self, Write},
    net::SocketAddr,
    sync::{Mutex, Once},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ws::{WebSocket, WebSocketUpgrade},
    routing::get,
};
use futures_util::stream;
use openreplay_session::{InCurrentSession as _, current, scope};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};
use tower_openreplay::SessionLayer;
use tracing::{Instrument as _, info, info_span};
use tracing_openreplay::{json, log_panics};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

const LIMIT: Duration = Duration::from_secs(60);

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Serves the app below, with the subscriber of the whole process.
async fn serve() -> SocketAddr {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::registry()
            .with(json().with_writer(|| Writer))
            .with(LevelFilter::INFO)
            .init();
        log_panics();
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app()).await.unwrap() });
    address
}

fn app() -> Router {
    Router::new()
        .route("/panic/caught", get(panics))
        .layer(CatchPanicLayer::new())
        .route("/panic/uncaught", get(panics))
        .route("/stream", get(streams))
        .route("/wait", get(waits))
        .route("/spawn", get(spawns))
        .route("/socket/{way}", get(upgrades))
        .layer(TraceLayer::new_for_http())
        .layer(SessionLayer::new())
}

async fn panics() {
    panic!("out of stock");
}

/// Logs when it is dropped.
struct LogsOnDrop(&'static str);

impl Drop for LogsOnDrop {
    fn drop(&mut self) {
        info!("{} dropped", self.0);
    }
}

async fn streams() -> Body {
    let frames = stream::unfold((0, LogsOnDrop("stream")), |(frame, guard)| async move {
        info!("frame {frame}");
        (frame < 3).then(|| {
            (
                Ok::<_, Infallible>(format!("{frame}\n")),
                (frame + 1, guard),
            )
        })
    });
    Body::from_stream(frames)
}

async fn waits() {
    let _guard = LogsOnDrop("handler");
    info!("waiting");
    std::future::pending::<()>().await;
}

async fn spawns() {
    let by_session = tokio::spawn(async { info!("spawned by session") }.in_current_session());
    let by_span = tokio::spawn(async { info!("spawned by span") }.instrument(info_span!("work")));
    let blocking = openreplay_session::in_current_session(|| info!("blocking"));
    let blocking = tokio::task::spawn_blocking(blocking);
    let _ = tokio::join!(by_session, by_span, blocking);
}

async fn upgrades(
    axum::extract::Path(way): axum::extract::Path<String>,
    upgrade: WebSocketUpgrade,
) -> axum::response::Response {
    // the task that serves the socket is another one, and starts when the request has ended
    let session = current();
    let span = info_span!("socket");
    upgrade.on_upgrade(move |socket| async move {
        match way.as_str() {
            "session" => scope(session, talk(socket)).await,
            _ => talk(socket).instrument(span).await,
        }
    })
}

async fn talk(mut socket: WebSocket) {
    info!("socket open");
    while let Some(Ok(_)) = socket.recv().await {}
    info!("socket closed");
}

/// Sends a request in a session of its own.
async fn request(address: SocketAddr, session: u64, path: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: test\r\nopenReplaySession.id: {session}\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The whole response, or what came until the connection broke.
async fn response(address: SocketAddr, session: u64, path: &str) -> String {
    let mut stream = request(address, session, path, "Connection: close\r\n").await;
    let mut response = Vec::new();
    let _ = timeout(LIMIT, stream.read_to_end(&mut response))
        .await
        .unwrap();
    String::from_utf8(response).unwrap()
}

/// The records in a session, once there is one with this text in its message.
async fn records_until(session: u64, text: &str) -> Vec<Value> {
    let member = format!(r#""openReplaySession.id":"{session}""#);
    let search = async {
        loop {
            let written = String::from_utf8(WRITTEN.lock().unwrap().clone()).unwrap();
            let lines = written.lines().filter(|line| line.contains(&member));
            let records: Vec<Value> = lines
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            if records.iter().any(|record| message(record).contains(text)) {
                return records;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let found = timeout(LIMIT, search).await;
    found.unwrap_or_else(|_| panic!("{text:?} is in no record of {session}"))
}

fn message(record: &Value) -> &str {
    record["message"].as_str().unwrap()
}

#[track_caller]
fn assert_messages(records: &[Value], session: u64, texts: &[&str]) {
    let expected: Vec<_> = texts
        .iter()
        .map(|text| format!("[openReplaySession.id={session}] {text}"))
        .collect();
    assert_eq!(records.iter().map(message).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_streaming_body_and_its_end() {
    let address = serve().await;
    assert!(response(address, 101, "/stream").await.contains("2\n"));
    let records = records_until(101, "stream dropped").await;
    assert_messages(
        &records,
        101,
        &["frame 0", "frame 1", "frame 2", "frame 3", "stream dropped"],
    );
}

#[tokio::test]
async fn a_client_that_hangs_up() {
    let address = serve().await;
    let stream = request(address, 102, "/wait", "").await;
    records_until(102, "waiting").await;
    drop(stream);
    let records = records_until(102, "handler dropped").await;
    assert_messages(&records, 102, &["waiting", "handler dropped"]);
}

#[tokio::test]
async fn a_panic_that_is_caught() {
    let address = serve().await;
    assert!(
        response(address, 103, "/panic/caught")
            .await
            .starts_with("HTTP/1.1 500")
    );
    // `TraceLayer` logs the response when it is complete
    let records = records_until(103, "response failed").await;
    let panics: Vec<_> = records
        .iter()
        .filter(|record| message(record).contains("panicked at"))
        .collect();
    assert_eq!(panics.len(), 1, "{records:?}");
    assert_eq!(panics[0]["level"], "error");
    assert_eq!(panics[0]["log.origin.file.name"], file!());
}

#[tokio::test]
async fn a_panic_that_nobody_catches() {
    let address = serve().await;
    assert_eq!(response(address, 104, "/panic/uncaught").await, "");
    let records = records_until(104, "panicked at").await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(message(&records[0]).ends_with(": out of stock"));
}

#[tokio::test]
async fn spawned_and_blocking_work() {
    let address = serve().await;
    assert!(
        response(address, 105, "/spawn")
            .await
            .starts_with("HTTP/1.1 200")
    );
    for text in ["spawned by session", "spawned by span", "blocking"] {
        records_until(105, text).await;
    }
}

#[tokio::test]
async fn an_upgraded_socket_by_session_and_by_span() {
    let address = serve().await;
    for (session, way) in [(106, "session"), (107, "span")] {
        let headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let mut stream = request(address, session, &format!("/socket/{way}"), headers).await;
        let mut response = [0; 12];
        timeout(LIMIT, stream.read_exact(&mut response))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&response, b"HTTP/1.1 101");
        records_until(session, "socket open").await;
        drop(stream);
        let records = records_until(session, "socket closed").await;
        assert_messages(&records, session, &["socket open", "socket closed"]);
    }
}
