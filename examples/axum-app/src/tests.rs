//! The app over a real socket: what a client gets, and what was logged for it.

use std::{
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use openreplay_elastic::{Client, Connection, admin::panel};
use openreplay_session::SessionId;
use openreplay_store::Keys;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tracing_subscriber::prelude::*;

use crate::{
    app::app,
    kept::{self, Kept},
    settings::Place,
};

#[tokio::test]
async fn the_endpoint_responds_and_logs_its_own_record_and_the_request() {
    let (session, response) = send("/api/endpoint").await;
    assert_eq!((response.status, response.body.as_str()), (200, "Success"));

    let records = records(session, 2).await;
    let messages = messages(&records);
    assert_eq!(
        messages[0],
        format!("[openReplaySession.id={session}] Endpoint accessed")
    );
    let request = format!("[openReplaySession.id={session}] GET /api/endpoint 200 duration_ms=");
    assert!(messages[1].starts_with(&request), "{messages:#?}");
    assert_eq!(messages.len(), 2);
    assert_eq!(records[0]["level"], "info");
    assert_eq!(records[0]["openReplaySession.id"], session.as_str());
}

#[tokio::test]
async fn an_error_is_logged_once_with_its_causes_and_the_response_has_none_of_them() {
    let (session, response) = send("/api/error").await;
    assert_eq!(
        (response.status, response.body.as_str()),
        (500, "Internal Server Error")
    );

    let errors = errors(&records(session, 2).await);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!(errors[0]["tags"], serde_json::json!(["error"]));
    assert_eq!(errors[0]["utc_time"], errors[0]["@timestamp"]);
    let message = errors[0]["message"].as_str().unwrap();
    let failed = format!(
        "[openReplaySession.id={session}] GET /api/error 500 error=no price for order 1042 duration_ms="
    );
    assert!(message.starts_with(&failed), "{message}");
    assert!(
        message.ends_with("\nerror caused by: connection refused"),
        "{message}"
    );
}

#[tokio::test]
async fn a_panic_is_logged_once_with_its_place() {
    let (session, response) = send("/api/panic").await;
    assert_eq!(
        (response.status, response.body.as_str()),
        (500, "Internal Server Error")
    );

    let errors = errors(&records(session, 1).await);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    let message = errors[0]["message"].as_str().unwrap();
    assert!(message.contains("index out of bounds"), "{message}");
    assert!(message.contains("routes.rs"), "{message}");
}

#[tokio::test]
async fn work_that_outlives_the_request_logs_in_its_session() {
    let (session, response) = send("/api/spawn").await;
    assert_eq!((response.status, response.body.as_str()), (202, "Accepted"));

    let messages = messages(&records(session, 3).await);
    assert!(
        messages
            .iter()
            .any(|message| message.contains("from a spawned task"))
    );
    assert!(
        messages
            .iter()
            .any(|message| message.contains("on a blocking thread"))
    );
}

#[tokio::test]
async fn a_stream_logs_while_it_streams_and_takes_its_session_from_the_query() {
    let session = new_session();
    let response = exchange(&request(
        &format!("/api/stream?openReplaySession.id={session}"),
        "",
    ))
    .await;
    assert_eq!(response.status, 200);
    assert_eq!(response.body.matches("event: step").count(), 5);

    // the request's own comes first, when its response begins
    let messages = messages(&records(session, 6).await);
    assert_eq!(messages.len(), 6, "{messages:#?}");
    assert!(
        messages[0].contains(" GET /api/stream 200 "),
        "{messages:#?}"
    );
    assert!(messages[5].ends_with("Export: step 5 of 5"));
}

#[tokio::test]
async fn a_client_that_hangs_up_is_logged_in_its_session() {
    let session = new_session();
    let mut stream = TcpStream::connect(address()).await.unwrap();
    let header = format!("openReplaySession.id: {session}\r\n");
    stream
        .write_all(request("/api/stream", &header).as_bytes())
        .await
        .unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).await.unwrap();
    drop(stream);

    let left = |record: &Value| {
        record["message"]
            .as_str()
            .unwrap()
            .contains("the client left")
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !records(session, 0).await.iter().any(left) {
        assert!(Instant::now() < end, "no record of it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn without_a_session_there_are_no_records_to_read() {
    exchange(&request("/api/endpoint", "")).await;
    let response = exchange(&request("/api/records", "")).await;
    assert_eq!(response.body, r#"{"rows":[]}"#);
}

#[tokio::test]
async fn openreplay_gets_the_rows_of_a_session_in_time_order_with_the_key_of_the_folder() {
    let (session, _) = send("/api/error").await;
    send_in(session, "/api/spawn").await;
    records(session, 5).await;

    let key = Keys::open(served().folder.path()).unwrap().openreplay();
    let client = openreplay(&key.unwrap().encoded());
    assert_eq!(panel::probe(&client).await.unwrap().hits.len(), 1);
    let found = panel::session(&client, &session).await.unwrap();
    assert!(found.is_elasticsearch, "OpenReplay's client rejects others");
    let rows = panel::rows(&found.sources()).unwrap();
    assert!(rows.is_sorted_by_key(|row| row.time), "{rows:#?}");
    let levels: Vec<_> = rows.iter().map(|row| row.level.as_str()).collect();
    assert_eq!(levels, ["warning", "error", "info", "info", "info"]);
    assert!(
        rows.iter()
            .all(|row| row.level_is_known && row.time.is_some())
    );

    let wrong = panel::probe(&openreplay("aWQ6d3Jvbmc=")).await;
    assert!(wrong.unwrap_err().is_unauthorized());
}

fn openreplay(key: &str) -> Client {
    let url = format!("http://{}/openreplay", address());
    Client::new(&Connection::builder(url).api_key(key).build().unwrap()).unwrap()
}

#[tokio::test]
async fn without_a_key_openreplay_gets_nothing_and_the_requests_are_not_logged() {
    let session = new_session();
    let header = format!("openReplaySession.id: {session}\r\n");
    let response = exchange(&request("/openreplay/logs/_search", &header)).await;
    assert_eq!(response.status, 401);
    exchange(&request("/api/endpoint", &header)).await;
    assert_eq!(records(session, 2).await.len(), 2);
}

#[tokio::test]
async fn the_page_allows_nothing_but_its_own_files() {
    let page = exchange(&request("/", "")).await;
    assert_eq!(page.status, 200);
    assert!(page.head.contains("default-src 'none'"), "{}", page.head);
    assert!(
        page.head.contains("require-trusted-types-for 'script'"),
        "{}",
        page.head
    );

    for file in page
        .body
        .split('"')
        .filter(|text| text.starts_with("/page/"))
    {
        let response = exchange(&request(file, "")).await;
        assert_eq!(response.status, 200, "{file}");
        assert!(
            !response.head.contains("text/plain"),
            "{file}: {}",
            response.head
        );
    }
}

struct Response {
    status: u16,
    head: String,
    body: String,
}

/// Sends a request in a session of its own, so that tests may share one log.
async fn send(path: &str) -> (SessionId, Response) {
    let session = new_session();
    (session, send_in(session, path).await)
}

async fn send_in(session: SessionId, path: &str) -> Response {
    let header = format!("openReplaySession.id: {session}\r\n");
    exchange(&request(path, &header)).await
}

// HTTP/1.0: the response ends with the connection, and is not chunked
fn request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.0\r\n{headers}\r\n")
}

async fn exchange(request: &str) -> Response {
    let mut stream = TcpStream::connect(address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    Response {
        status: head[9..12].parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// The session's records as the page reads them, once there are so many.
async fn records(session: SessionId, at_least: usize) -> Vec<Value> {
    let header = format!("openReplaySession.id: {session}\r\n");
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let response = exchange(&request("/api/records", &header)).await;
        let read: Value = serde_json::from_str(&response.body).unwrap();
        let rows = read["rows"].as_array().unwrap();
        if rows.len() >= at_least {
            return rows.iter().map(|row| row["record"].clone()).collect();
        }
        assert!(Instant::now() < end, "fewer than {at_least}: {rows:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn errors(records: &[Value]) -> Vec<Value> {
    let is_error = |record: &&Value| record["level"] == "error";
    records.iter().filter(is_error).cloned().collect()
}

fn messages(records: &[Value]) -> Vec<String> {
    let message = |record: &Value| record["message"].as_str().unwrap().to_owned();
    records.iter().map(message).collect()
}

fn new_session() -> SessionId {
    static LAST: AtomicU64 = AtomicU64::new(4_950_498_349_085_463_837);
    SessionId::from(LAST.fetch_add(1, Ordering::Relaxed))
}

/// One app for all tests, on a runtime of its own: a test's ends with the test.
struct Served {
    address: SocketAddr,
    folder: TempDir,
}

fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let (writer, kept, delivery) = kept::open(&Place::Store(folder.path().into())).unwrap();
        // it lasts as long as the app, which is as long as the process
        std::mem::forget(delivery);
        tracing_subscriber::registry()
            .with(tracing_openreplay::json().with_writer(writer))
            .with(tracing_subscriber::filter::LevelFilter::INFO)
            .init();
        tracing_openreplay::log_panics();
        Served {
            address: serve(kept),
            folder,
        }
    })
}

fn address() -> SocketAddr {
    served().address
}

fn serve(kept: Kept) -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, app(None, kept)).await.unwrap();
        });
    });
    receive.recv().unwrap()
}
