use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;
use crate::transport::kind::ErrorKind;

/// Responds to one request with `response`; returns the address, and the request.
fn server(response: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let request = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).unwrap();
        stream.write_all(response.as_bytes()).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    });
    (url, request)
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn sends_credentials_and_returns_the_whole_response() {
    let (url, request) = server(
        "HTTP/1.1 200 OK\r\nx-elastic-product: Elasticsearch\r\ncontent-length: 11\r\n\r\n{\"count\":3}",
    );
    let connection = Connection::builder(format!("{url}/es"))
        .bearer("abc")
        .build()
        .unwrap();
    let client = Client::new(&connection).unwrap();
    let response = client
        .request(Method::POST, "/logs/_count", Bytes::from("{}"))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.is_elasticsearch());
    assert_eq!(
        response.json::<serde_json::Value>().unwrap(),
        serde_json::json!({"count": 3})
    );
    let request = request.join().unwrap();
    assert!(
        request.starts_with("POST /es/logs/_count HTTP/1.1\r\n"),
        "{request}"
    );
    for header in [
        "authorization: Bearer abc",
        "content-type: application/json",
        "content-length: 2",
    ] {
        assert!(request.contains(header), "{request}");
    }
    assert!(!format!("{client:?}").contains("abc"));
}

#[tokio::test]
async fn takes_the_next_node_if_one_is_unreachable() {
    let (url, request) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let connection = Connection::builder(nobody())
        .node(nobody())
        .node(url)
        .build()
        .unwrap();
    let client = Client::new(&connection).unwrap();
    let response = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!request.join().unwrap().contains("content-type"));
}

/// A proxy responds like this if its node is unreachable. The request may have been executed, so it
/// is the next one that goes elsewhere.
#[tokio::test]
async fn leaves_a_node_behind_a_proxy_that_cannot_reach_it() {
    for (response, leaves) in [
        ("HTTP/1.1 502 X\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 504 X\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 429 X\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n", false),
    ] {
        let (first, _) = server(response);
        let (second, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let connection = Connection::builder(first).node(second).build().unwrap();
        let client = Client::new(&connection).unwrap();
        let request = || client.request(Method::GET, "/", Bytes::new());
        assert_eq!(request().await.unwrap().status().as_str(), &response[9..12]);
        let current = client.shared.current.load(Ordering::Relaxed);
        assert_eq!(current == 1, leaves, "{response}");
        if leaves {
            assert_eq!(request().await.unwrap().status(), StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn reports_an_unreachable_server() {
    let url = nobody();
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let error = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap_err();
    assert!(error.is_connect() && !error.is_tls());
    assert_eq!(
        error.to_string(),
        format!("{url} is unreachable; check that it is running and that the address is right")
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn reports_a_response_that_is_cut_off() {
    let (url, _request) = server("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let error = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap_err();
    assert!(error.is_disconnected());
    assert_eq!(
        error.to_string(),
        format!(
            "{url} closed the connection before its response was complete; check whether it was restarted, and whether a proxy in between \
             has shorter time limits"
        )
    );
}

#[tokio::test]
async fn reads_as_much_of_a_search_as_records_may_be_and_reports_a_longer_response() {
    for (encoding, mib, limit) in [
        (Encoding::Lines, 65, Some(64)),
        (Encoding::GzippedLines, 65, Some(64)),
        (Encoding::Json, 65, None),
        (Encoding::Json, 257, Some(256)),
    ] {
        let (url, _request) = server_of(mib);
        let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
        let response = client.send(Method::POST, "/", Bytes::new(), encoding).await;
        match limit {
            None => assert_eq!(response.unwrap().body().len(), mib * MIB),
            Some(limit) => {
                let error = response.unwrap_err();
                assert!(error.is_too_long() && !error.is_disconnected(), "{error:?}");
                let text = format!("the response of {url} is longer than the limit of {limit} MiB");
                assert!(error.to_string().starts_with(&text), "{error}");
            }
        }
    }
}

/// Responds to one request with so many MiB.
fn server_of(mib: usize) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let request = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", mib * MIB);
        stream.write_all(head.as_bytes()).unwrap();
        let some = vec![b' '; MIB];
        // until the client has had enough
        let _ = (0..mib).try_for_each(|_| stream.write_all(&some));
    });
    (url, request)
}

#[tokio::test]
async fn reports_a_server_that_does_not_speak_tls() {
    let (url, _request) = server("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let url = url.replace("http:", "https:");
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let error = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap_err();
    assert!(error.is_tls(), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("{url} does not speak TLS; ")),
        "{error}"
    );
    let remedy = error.remedy().unwrap();
    // It would send the credentials in clear text.
    assert!(!remedy.contains("http "), "{remedy}");
}

#[tokio::test]
async fn gives_up_after_the_time_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let limit = Duration::from_millis(50);
    let connection = Connection::builder(&url)
        .request_timeout(limit)
        .build()
        .unwrap();
    let client = Client::new(&connection).unwrap();
    let error = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(
        error.to_string(),
        format!(
            "no response from {url} within 50ms; check whether it is overloaded, and whether a firewall or a proxy in between holds requests \
             back"
        )
    );
}

#[test]
fn reads_the_reason_of_an_error() {
    for (status, body, text, name) in [
        (
            404,
            r#"{"error":{"type":"index_not_found_exception","reason":"no such index [logs]"},"status":404}"#,
            "Elasticsearch responded with 404: no such index [logs]",
            Some("index_not_found_exception"),
        ),
        (
            401,
            "",
            "the server responded with 401: the credentials are missing, wrong or expired",
            None,
        ),
        (
            405,
            r#"{"error":"Incorrect HTTP method"}"#,
            "Elasticsearch responded with 405: Incorrect HTTP method",
            None,
        ),
        (
            502,
            "<html>",
            "the server responded with 502; check that the proxy in front reaches Elasticsearch",
            None,
        ),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let response = Response::new(status, http::HeaderMap::new(), Bytes::from(body));
        let error = response.ok().unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.error_type(), name);
        assert_eq!(error.status(), Some(status));
    }
}

/// As a TLS server does to a plain request: rustls sends an alert, Elasticsearch hangs up, nginx
/// and Go explain.
#[tokio::test]
async fn reports_a_plain_request_to_an_https_port() {
    for (response, kind, remedy) in [
        (
            "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{16}",
            ErrorKind::Disconnected,
            "check the port in the address, and use https if the port expects it",
        ),
        (
            "",
            ErrorKind::Disconnected,
            "check whether the port expects https, whether it was restarted, and whether a proxy in between has shorter time limits",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
            ErrorKind::Status(StatusCode::BAD_REQUEST),
            "use https in the address",
        ),
    ] {
        let (url, _request) = server(response);
        let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
        let outcome = client.request(Method::GET, "/", Bytes::new()).await;
        let error = outcome.and_then(Response::ok).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.remedy(), Some(remedy), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_path_is_what_the_remedy_names() {
    const UNKNOWN: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 73\r\n\r\n\
        {\"error\":\"no handler found for uri [/es/logs/_search] and method [POST]\"}";
    const PAGE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\n<html>";
    let everything = "check the address: its scheme, host, port and path must be Elasticsearch's own, or those of a proxy that forwards \
                      all requests";
    let path = "check the path in the address: Elasticsearch receives requests with a wrong path";
    for (response, prefix, remedy) in [
        (UNKNOWN, "/es", Some(path)),
        // OpenSearch responds so to what it does not know
        (UNKNOWN, "", None),
        (PAGE, "/es", Some(everything)),
        (PAGE, "", Some(everything)),
    ] {
        let (url, _request) = server(response);
        let connection = Connection::builder(format!("{url}{prefix}")).build();
        let client = Client::new(&connection.unwrap()).unwrap();
        let response = client.request(Method::GET, "/", Bytes::new()).await;
        let error = response.unwrap().ok().unwrap_err();
        assert_eq!(error.remedy(), remedy, "{prefix} {error:?}");
    }
}
