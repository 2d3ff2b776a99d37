use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

/// Answers one request with `answer` and gives what was asked.
fn server(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    });
    (url, asked)
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn asks_with_credentials_and_gives_the_whole_answer() {
    let (url, asked) = server(
        "HTTP/1.1 200 OK\r\nx-elastic-product: Elasticsearch\r\ncontent-length: 11\r\n\r\n{\"count\":3}",
    );
    let connection = Connection::builder(format!("{url}/es"))
        .bearer("abc")
        .build()
        .unwrap();
    let client = Client::new(&connection).unwrap();
    let answer = client
        .request(Method::POST, "/logs/_count", Bytes::from("{}"))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.is_elasticsearch());
    assert_eq!(
        answer.json::<serde_json::Value>().unwrap(),
        serde_json::json!({"count": 3})
    );
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with("POST /es/logs/_count HTTP/1.1\r\n"),
        "{asked}"
    );
    for header in [
        "authorization: Bearer abc",
        "content-type: application/json",
        "content-length: 2",
    ] {
        assert!(asked.contains(header), "{asked}");
    }
    assert!(!format!("{client:?}").contains("abc"));
}

#[tokio::test]
async fn takes_the_next_node_where_one_cannot_be_reached() {
    let (url, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let connection = Connection::builder(nobody())
        .node(nobody())
        .node(url)
        .build()
        .unwrap();
    let client = Client::new(&connection).unwrap();
    let answer = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(!asked.join().unwrap().contains("content-type"));
}

/// A proxy answers so if its node is unreachable. The request may have been executed, so it is the next one that goes elsewhere.
#[tokio::test]
async fn leaves_a_node_behind_a_proxy_that_cannot_reach_it() {
    for (answer, leaves) in [
        ("HTTP/1.1 502 X\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 504 X\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 429 X\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n", false),
    ] {
        let (first, _) = server(answer);
        let (second, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let connection = Connection::builder(first).node(second).build().unwrap();
        let client = Client::new(&connection).unwrap();
        let request = || client.request(Method::GET, "/", Bytes::new());
        assert_eq!(request().await.unwrap().status().as_str(), &answer[9..12]);
        let current = client.shared.current.load(Ordering::Relaxed);
        assert_eq!(current == 1, leaves, "{answer}");
        if leaves {
            assert_eq!(request().await.unwrap().status(), StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn says_that_nobody_is_there() {
    let url = nobody();
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let error = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap_err();
    assert!(error.is_connect() && !error.is_tls());
    assert_eq!(
        error.to_string(),
        format!("{url} cannot be reached: is it running, and is the address right?")
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn says_that_the_answer_was_cut_off() {
    let (url, _asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let error = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap_err();
    assert!(error.is_disconnected());
    assert_eq!(
        error.to_string(),
        format!(
            "{url} broke the connection before its answer was whole: was it restarted, or is there a proxy in between whose limits are \
             shorter?"
        )
    );
}

#[tokio::test]
async fn reads_as_much_of_a_search_as_records_may_be_and_says_that_an_answer_is_longer() {
    for (encoding, mib, limit) in [
        (Encoding::Lines, 65, Some(64)),
        (Encoding::GzippedLines, 65, Some(64)),
        (Encoding::Json, 65, None),
        (Encoding::Json, 257, Some(256)),
    ] {
        let (url, _asked) = server_of(mib);
        let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
        let asked = client.send(Method::POST, "/", Bytes::new(), encoding).await;
        match limit {
            None => assert_eq!(asked.unwrap().body().len(), mib * MIB),
            Some(limit) => {
                let error = asked.unwrap_err();
                assert!(error.is_too_long() && !error.is_disconnected(), "{error:?}");
                let text = format!("the answer is longer than {limit} MiB, and no more is read");
                assert!(error.to_string().starts_with(&text), "{error}");
            }
        }
    }
}

/// Answers one request with so many MiB.
fn server_of(mib: usize) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", mib * MIB);
        stream.write_all(head.as_bytes()).unwrap();
        let some = vec![b' '; MIB];
        // until the client has had enough
        let _ = (0..mib).try_for_each(|_| stream.write_all(&some));
    });
    (url, asked)
}

#[tokio::test]
async fn says_that_the_other_side_does_not_speak_tls() {
    let (url, _asked) = server("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let url = url.replace("http:", "https:");
    let client = Client::new(&Connection::builder(&url).build().unwrap()).unwrap();
    let error = client
        .request(Method::GET, "/", Bytes::new())
        .await
        .unwrap_err();
    assert!(error.is_tls(), "{error:?}");
}

#[tokio::test]
async fn gives_up_when_the_time_is_over() {
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
            "no answer from {url} within 50ms: is it overloaded, or does a firewall or a proxy in between hold back what is sent?"
        )
    );
}

#[test]
fn reads_the_reason_of_an_error() {
    for (status, body, text, name) in [
        (
            404,
            r#"{"error":{"type":"index_not_found_exception","reason":"no such index [logs]"},"status":404}"#,
            "Elasticsearch answered 404: no such index [logs]",
            Some("index_not_found_exception"),
        ),
        (
            401,
            "",
            "Elasticsearch answered 401: the credentials are missing, wrong or expired",
            None,
        ),
        (
            405,
            r#"{"error":"Incorrect HTTP method"}"#,
            "Elasticsearch answered 405: Incorrect HTTP method",
            None,
        ),
        (502, "<html>", "Elasticsearch answered 502", None),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer::new(status, http::HeaderMap::new(), Bytes::from(body));
        let error = answer.ok().unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.error_type(), name);
        assert_eq!(error.status(), Some(status));
    }
}
