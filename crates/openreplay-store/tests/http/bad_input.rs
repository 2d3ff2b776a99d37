//! Records and bodies that are rejected.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Server, create, now, record};

#[test]
fn a_body_has_a_limited_number_of_lines() {
    let server = Server::start();
    let body = "{\"create\":{}}\n{}\n".repeat(32_769);
    let (status, response) = server.bulk(body.as_bytes());
    assert_eq!(status, 413, "{response}");
    assert_eq!(
        server.search(&json!({"size": 0})).1["hits"]["total"]["value"],
        0
    );
}

#[test]
fn each_bad_record_has_its_own_response_and_the_good_ones_are_stored() {
    let server = Server::start();
    let time = now(0);
    let good = |id: &str| create(id, &record(7, &time, id));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
    let long = "x".repeat(513);
    let cases: [(String, u64, &str); 18] = [
        (good("quote \" and \\ and \u{0}"), 201, ""),
        (
            create(&long, "{}"),
            400,
            "must be no longer than 512 bytes but was: 513",
        ),
        (create("", "{}"), 400, "must not be empty"),
        (
            create("duplicate", r#"{"a":1,"a":2}"#),
            400,
            "duplicate field 'a'",
        ),
        (create("deep", &deep), 400, "more than 127 levels"),
        (create("list", "[1]"), 400, "expected an object"),
        (create("nul", "{\"a\":\"\0\"}"), 400, "control character"),
        (
            create("object", r#"{"@timestamp":{}}"#),
            400,
            "expected a time",
        ),
        (create("old", &record(7, "2020", "m")), 400, "further back"),
        // Go's zero time
        (
            create("zero", &record(7, "0001-01-01T00:00:00Z", "m")),
            201,
            "",
        ),
        (
            create("new", &record(7, "2200", "m")),
            400,
            "ahead of the store's clock",
        ),
        (
            "{\"delete\":{\"_id\":\"a\"}}\n".to_owned(),
            400,
            "only adds records",
        ),
        (
            "{\"update\":{\"_id\":\"a\"}}\n{}\n".to_owned(),
            400,
            "only adds records",
        ),
        (
            "{\"create\":{\"_index\":\"other\"}}\n{}\n".to_owned(),
            404,
            "no such index [other]",
        ),
        (
            "{\"create\":{\"pipeline\":\"geo\"}}\n{}\n".to_owned(),
            400,
            "has no [pipeline]",
        ),
        (
            "{\"index\":{\"version\":2,\"pipeline\":\"_none\"}}\n{}\n".to_owned(),
            400,
            "has no [version]",
        ),
        (
            "{\"index\":{\"if_seq_no\":2}}\n{}\n".to_owned(),
            400,
            "has no [if_seq_no]",
        ),
        (
            "{\"create\":{\"_id\":5}}\n{\"@timestamp\":".to_owned() + &time + "}\n",
            201,
            "",
        ),
    ];
    let body: String = cases
        .iter()
        .map(|(body, ..)| &**body)
        .chain([&*good("last")])
        .collect();
    let (status, response) = server.bulk(body.as_bytes());
    assert_eq!(
        (status, &response["errors"]),
        (200, &json!(true)),
        "{response}"
    );
    let items = response["items"].as_array().unwrap();
    for ((body, status, part), item) in cases.iter().zip(items) {
        let item = item.as_object().unwrap().values().next().unwrap();
        assert_eq!(item["status"], *status, "{body}: {item}");
        let reason = item["error"]["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(part), "{body}: {reason}");
    }
    let rejected = items.iter().filter_map(|item| item["create"].get("error"));
    for error in
        rejected.filter(|error| !error["reason"].as_str().unwrap().contains("this store has"))
    {
        // with another error, openreplay-elastic would not blame the record
        assert_eq!(error["type"], "document_parsing_exception", "{error}");
    }
    assert_eq!(items[17]["create"]["_id"], "5");
    assert_eq!(
        server.sources(7).len(),
        3,
        "the first, the zero time and the last"
    );
}

#[test]
fn a_request_that_cannot_be_read_stores_nothing() {
    let server = Server::start();
    let good = create("a", &record(7, &now(0), "m"));
    for (body, part) in [
        (good.trim_end().to_owned(), "terminated by a newline"),
        (String::new(), "body is required"),
        (
            format!("{good}{{\"creat\":{{}}}}\n{{}}\n"),
            "Malformed action/metadata line [3]",
        ),
        (
            format!("{good}nothing\n"),
            "Malformed action/metadata line [3]",
        ),
        (
            format!("{good}{{\"create\":{{}}{}}}\n{{}}\n", " ".repeat(16 * 1024)),
            "line [3]: it is longer than 16384 bytes",
        ),
        (
            format!("{good}{{\"create\":{{}}}}\n"),
            "line [3] has no record",
        ),
        (
            format!("{good}{{\"create\":{{\"_id\":{{\"a\":1}}}}}}\n{{}}\n"),
            "line [3]: expected a simple value for field [_id]",
        ),
        (
            format!("{good}{{\"create\":{{\"_id\":[1]}}}}\n{{}}\n"),
            "line [3]: expected a simple value for field [_id]",
        ),
    ] {
        let (status, response) = server.bulk(body.as_bytes());
        let reason = response["error"]["reason"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{body}: {response}");
        assert!(reason.contains(part), "{body}: {reason}");
    }
    let (status, _) = server.request(
        "POST",
        "/_bulk",
        &[("authorization", &server.writer())],
        good.as_bytes(),
    );
    assert_eq!(status, 400, "no index");
    let path = "/logs/_bulk?pipeline=p";
    assert_eq!(
        server
            .request(
                "POST",
                path,
                &[("authorization", &server.writer())],
                good.as_bytes()
            )
            .0,
        400
    );
    assert_eq!(server.sources(7), [] as [Value; 0]);
    let path = "/logs/_bulk?pipeline=_none";
    let headers = [("authorization", &*server.writer())];
    assert_eq!(
        server.request("POST", path, &headers, good.as_bytes()).0,
        200
    );
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bodies_are_limited_before_and_after_decompression() {
    let server = Server::start();
    let writer = server.writer();
    let good = create("a", &record(7, &now(0), "m"));
    let zeros = vec![b' '; 17 * 1024 * 1024];
    let packed = gzip(good.as_bytes());
    let mut two = gzip(good.as_bytes());
    two.extend(gzip(create("b", &record(7, &now(0), "m")).as_bytes()));
    for (encoding, body, expected) in [
        ("Identity", good.clone().into_bytes(), 200),
        ("gzip", packed.clone(), 200),
        ("gzip", two, 200),
        ("gzip", packed[..packed.len() / 2].to_vec(), 400),
        ("gzip", good.clone().into_bytes(), 400),
        ("gzip", gzip(&zeros), 413),
        ("zstd", good.clone().into_bytes(), 415),
        ("identity", zeros, 413),
    ] {
        let headers = [("authorization", &*writer), ("content-encoding", encoding)];
        let (status, response) = server.request("POST", "/logs/_bulk", &headers, &body);
        assert_eq!(status, expected, "{encoding} {response}");
    }
    assert_eq!(server.sources(7).len(), 2);
}

#[test]
fn a_body_of_unknown_length_is_limited_too() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /logs/_bulk HTTP/1.1\r\nhost: a\r\nauthorization: {}\r\ntransfer-encoding: chunked\r\n\r\n",
        server.writer()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = vec![b' '; 1024 * 1024];
    for _ in 0..17 {
        stream
            .write_all(format!("{:x}\r\n", chunk.len()).as_bytes())
            .unwrap();
        stream.write_all(&chunk).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 413");
}

/// Sends a request with 5 MB of body, and only then reads the response. Returns its status line.
fn send_all_then_read(server: &Server, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let body = vec![b' '; 5_000_000];
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    for piece in body.chunks(50_000) {
        if let Err(error) = stream.write_all(piece) {
            return error.to_string();
        }
    }
    let mut response = [0; 12];
    match stream.read_exact(&mut response) {
        Ok(()) => String::from_utf8_lossy(&response).into_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_client_that_sends_its_whole_body_first_gets_the_reason_for_its_rejection() {
    let server = Server::start();
    let key = |key: String| format!("authorization: {key}\r\n");
    let (reader, writer) = (key(server.reader()), key(server.writer()));
    let zstd = format!("{writer}content-encoding: zstd\r\n");
    for (path, headers, status) in [
        ("/logs/_bulk?pipeline=p", &*writer, 400),
        ("/logs/_bulk", "", 401),
        ("/logs/_bulk", "authorization: ApiKey YTpi\r\n", 401),
        ("/logs/_bulk", &*reader, 403),
        ("/other/_bulk", &*writer, 404),
        ("/nothing", &*writer, 404),
        ("/logs/_search", &*reader, 413),
        ("/logs/_bulk", &*zstd, 415),
    ] {
        let response = send_all_then_read(&server, path, headers);
        assert_eq!(response, format!("HTTP/1.1 {status}"), "{path} {headers}");
    }
}

#[test]
fn a_client_that_expects_a_response_before_it_sends_its_body_gets_it() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = "POST /logs/_bulk HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 401");
}
