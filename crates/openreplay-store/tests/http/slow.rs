//! Clients that send slowly.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::bad_input::gzip;
use super::{Server, create, now, record, statuses};

/// A client that sends no more than the head of a request.
fn stalled(server: &Server, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /logs/_bulk HTTP/1.1\r\nhost: a\r\nauthorization: {}\r\n{headers}expect: 100-continue\r\n\r\n",
        server.writer()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // the server responds with this once it reads the body
    let mut response = [0; 25];
    stream.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Whether an upload is stored within a while.
fn is_stored(server: &Server) -> bool {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let body = create("a", &record(7, &now(0), "m"));
    let request = format!(
        "POST /logs/_bulk HTTP/1.1\r\nhost: a\r\nauthorization: {}\r\ncontent-length: {}\r\n\r\n{body}",
        server.writer(),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let patience = Duration::from_millis(500);
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).is_ok() && &response == b"HTTP/1.1 200"
}

/// Whether the server still waits for the body.
fn is_waiting(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.read(&mut [0]);
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn a_slow_gzip_upload_keeps_no_other_from_being_stored() {
    let server = Server::start();
    let slow = stalled(
        &server,
        "content-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
    );
    let headers = [
        ("authorization", &*server.writer()),
        ("content-encoding", "gzip"),
    ];
    let body = gzip(create("a", &record(7, &now(0), "m")).as_bytes());
    let (_, response) = server.request("POST", "/logs/_bulk", &headers, &body);
    assert_eq!(statuses(&response), [201]);
    assert!(is_waiting(&slow));
}

#[test]
fn uploads_that_stall_at_their_beginning_keep_no_other_from_being_stored() {
    let server = Server::start();
    let lengths = [
        "transfer-encoding: chunked\r\n",
        "content-length: 16777216\r\n",
    ];
    let slow = lengths.map(|length| stalled(&server, length));
    let long = record(7, &now(0), &"long ".repeat(1_000_000));
    assert_eq!(server.bulk(create("a", &long).as_bytes()).0, 200);
    assert!(slow.iter().all(is_waiting));
}

#[test]
fn a_search_does_not_wait_for_uploads() {
    let server = Server::start();
    // together, they take all memory for bodies
    let lengths = [
        ("transfer-encoding: chunked\r\n", "100000\r\n"),
        ("content-length: 2097152\r\n", ""),
    ];
    let slow = lengths.map(|(length, chunk)| {
        let mut slow = stalled(&server, length);
        slow.write_all(chunk.as_bytes()).unwrap();
        slow.write_all(&[b' '; 256 * 1024]).unwrap();
        slow
    });
    assert!((0..1_000).any(|_| !is_stored(&server)));
    assert_eq!(server.search(&json!({"size": 1})).0, 200);
    assert!(slow.iter().all(is_waiting));
}

#[test]
fn a_search_is_short_before_and_after_decompression() {
    let server = Server::start();
    let reader = server.reader();
    let long = vec![b' '; 64 * 1024 + 1];
    for (encoding, body, expected) in [
        ("identity", long[1..].to_vec(), 200),
        ("identity", long.clone(), 413),
        ("gzip", gzip(&long[1..]), 200),
        ("gzip", gzip(&long), 413),
    ] {
        let headers = [("authorization", &*reader), ("content-encoding", encoding)];
        let (status, response) = server.request("POST", "/logs/_search", &headers, &body);
        assert_eq!(status, expected, "{encoding} {response}");
    }
}
