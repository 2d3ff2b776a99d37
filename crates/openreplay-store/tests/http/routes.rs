//! Routes, rights and clients.

use openreplay_store::Keys;
use serde_json::json;
use tempfile::TempDir;

use super::{Server, create};

#[test]
fn reading_and_writing_are_separate_rights() {
    let server = Server::start();
    let (reader, writer) = (server.reader(), server.writer());
    let query: &[u8] = br#"{"size":1}"#;
    let body = create("a", "{}");
    for (path, header, expected) in [
        ("/logs/_search", Some(&reader), 200),
        ("/logs/_search", Some(&writer), 403),
        ("/logs/_search", None, 401),
        ("/_bulk", Some(&reader), 403),
        ("/_bulk", None, 401),
        ("/nothing", None, 401),
        ("/logs/_search", Some(&"Basic YTpi".to_owned()), 401),
        ("/logs/_search", Some(&"ApiKey YTpi".to_owned()), 401),
    ] {
        let headers: Vec<_> = header
            .map(|value| ("authorization", value.as_str()))
            .into_iter()
            .collect();
        let sent = if path == "/_bulk" {
            body.as_bytes()
        } else {
            query
        };
        let (status, response) = server.request("POST", path, &headers, sent);
        assert_eq!(status, expected, "{path} {header:?}: {response}");
        if expected != 200 {
            assert_eq!(response["status"], expected);
            assert_eq!(response["error"]["type"], "security_exception");
            let cause = &response["error"]["root_cause"][0];
            assert_eq!(cause["reason"], response["error"]["reason"]);
        }
    }
    let open = Server::with(TempDir::new().unwrap(), Keys::none());
    assert_eq!(open.request("POST", "/logs/_search", &[], query).0, 200);
    for (path, headers, expected) in [
        ("/logs/_search", [("host", "evil.example")], 403),
        ("/logs/_bulk", [("content-type", "text/plain")], 406),
        ("/logs/_bulk", [("content-type", "application/json")], 200),
    ] {
        let (status, response) = open.request("POST", path, &headers, body.as_bytes());
        assert_eq!(status, expected, "{response}");
    }
}

#[test]
fn other_routes_and_other_searches_report_what_is_supported() {
    let server = Server::start();
    let reader = server.reader();
    let headers = [("authorization", &*reader)];
    for (method, path, body, status, part) in [
        (
            "GET",
            "/_cat/indices",
            "",
            404,
            "no handler for uri [/_cat/indices]",
        ),
        ("DELETE", "/logs", "", 404, "no handler"),
        ("POST", "/other/_search", "{}", 404, "no such index [other]"),
        (
            "POST",
            "/logs/_search",
            r#"{"query":{"match_all":{}}}"#,
            400,
            "two searches",
        ),
        (
            "POST",
            "/logs/_search",
            r#"{"query":{"match_phrase":{"message":"paid"}}}"#,
            400,
            "two searches",
        ),
        (
            "POST",
            "/logs/_search",
            r#"{"size":10001}"#,
            400,
            "Result window is too large",
        ),
        ("POST", "/logs/_search", r#"{"size":"#, 400, "EOF"),
        (
            "GET",
            "/logs/_search?q=openReplaySession.id:7",
            "",
            400,
            "the parameter [q]; this store supports two searches",
        ),
        ("POST", "/logs/_search?size=1", "", 400, "parameter [size]"),
    ] {
        let (found, response) = server.request(method, path, &headers, body.as_bytes());
        let reason = response["error"]["reason"].as_str().unwrap_or_default();
        assert_eq!(found, status, "{method} {path}: {response}");
        assert!(reason.contains(part), "{method} {path}: {reason}");
    }
}

#[test]
fn shippers_find_the_version_and_the_license_that_they_look_for() {
    let server = Server::start();
    let writer = server.writer();
    let headers = [("authorization", &*writer)];
    let (_, root) = server.request("GET", "/", &headers, b"");
    assert_eq!(root["version"]["number"], "9.99.0");
    assert!(
        root["tagline"]
            .as_str()
            .unwrap()
            .starts_with("openreplay-store ")
    );
    assert_eq!(server.request("HEAD", "/", &headers, b"").0, 200);
    let (_, license) = server.request("GET", "/_license", &headers, b"");
    assert_eq!(license["license"]["status"], "active");
    let (_, health) = server.request("GET", "/_cluster/health", &headers, b"");
    assert_eq!(health["status"], "green");
}

#[test]
fn our_own_client_gets_the_items_alone() {
    let server = Server::start();
    let path = "/logs/_bulk?filter_path=items.*._index,items.*.status,items.*.error.type,items.*.error.reason";
    let body = create("a", "{}");
    let headers = [("authorization", &*server.writer())];
    let (_, response) = server.request("POST", path, &headers, body.as_bytes());
    let expected = json!({"items": [{"create": {"_index": "logs-000001", "status": 201}}]});
    assert_eq!(response, expected);
}

/// Each item of a request repeats the name.
#[test]
fn another_index_is_named_once_and_only_its_beginning() {
    let server = Server::start();
    let long = "a".repeat(10_000);
    let reason = format!("no such index [{}…]", "a".repeat(255));
    let headers = [("authorization", &*server.writer())];
    let bulk = |path: &str, body: &str| server.request("POST", path, &headers, body.as_bytes());

    let (status, response) = bulk(&format!("/{long}/_bulk"), &"{\"delete\":{}}\n".repeat(100));
    assert_eq!(status, 404, "{response}");
    let found = response["error"]["reason"].as_str().unwrap();
    assert!(found.starts_with(&reason), "{found}");

    let (status, response) = bulk(
        "/_bulk",
        &format!("{}\n", json!({"delete": {"_index": long}})),
    );
    assert_eq!(status, 200, "{response}");
    let found = response["items"][0]["delete"]["error"]["reason"]
        .as_str()
        .unwrap();
    assert!(found.starts_with(&reason), "{found}");
}
