//! The store over real sockets, as OpenReplay, shippers and broken clients use it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use openreplay_store::{Keys, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use ureq::http::{Method, Request};

struct Server {
    address: SocketAddr,
    keys: Keys,
    _runtime: Runtime,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        Self::with(folder, keys)
    }

    fn with(folder: TempDir, keys: Keys) -> Self {
        let store = Store::open(folder.path()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let service = TowerToHyperService::new(store.service(keys.clone()));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let builder = Builder::new(TokioExecutor::new());
                    let _ = builder
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            keys,
            _runtime: runtime,
            _folder: folder,
        }
    }

    fn reader(&self) -> String {
        // as OpenReplay's Go client spells it
        format!("APIKey {}", self.keys.openreplay().unwrap().encoded())
    }

    fn writer(&self) -> String {
        format!("ApiKey {}", self.keys.writer().unwrap().encoded())
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, Value) {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let mut response = agent.run(request.body(body).unwrap()).unwrap();
        assert_eq!(response.headers()["x-elastic-product"], "Elasticsearch");
        let text = response.body_mut().read_to_string().unwrap();
        (
            response.status().as_u16(),
            serde_json::from_str(&text).unwrap_or(Value::Null),
        )
    }

    fn bulk(&self, body: &[u8]) -> (u16, Value) {
        self.request(
            "POST",
            "/logs/_bulk",
            &[("authorization", &self.writer())],
            body,
        )
    }

    fn search(&self, body: &Value) -> (u16, Value) {
        let path = "/logs/_search?track_total_hits=true";
        let body = body.to_string();
        self.request(
            "POST",
            path,
            &[("authorization", &self.reader())],
            body.as_bytes(),
        )
    }

    fn sources(&self, session: u64) -> Vec<Value> {
        let phrase = format!("openReplaySession.id={session}");
        let query = json!({"match_phrase": {"message": phrase}});
        let (status, found) = self.search(&json!({"size": 1_000, "query": query}));
        assert_eq!(status, 200, "{found}");
        let hits = found["hits"]["hits"].as_array().unwrap();
        assert_eq!(found["hits"]["total"]["value"], hits.len());
        hits.iter().map(|hit| hit["_source"].clone()).collect()
    }
}

/// A time that the store keeps.
fn now(nth: u64) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    (u64::try_from(now.as_millis()).unwrap() + nth).to_string()
}

fn record(session: u64, time: &str, text: &str) -> String {
    let message = format!("[openReplaySession.id={session}] {text}");
    json!({"@timestamp": time, "level": "error", "message": message}).to_string()
}

fn create(id: &str, record: &str) -> String {
    format!("{}\n{record}\n", json!({"create": {"_id": id}}))
}

fn statuses(response: &Value) -> Vec<u64> {
    let items = response["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{response}"));
    let item = |item: &Value| item.as_object().unwrap().values().next().unwrap()["status"].clone();
    items
        .iter()
        .map(|each| item(each).as_u64().unwrap())
        .collect()
}

#[test]
fn openreplay_finds_what_was_sent_in_time_order() {
    let server = Server::start();
    // "Add" in OpenReplay's form fails where nothing is found
    let (status, found) = server.search(&json!({"size": 1}));
    assert_eq!(
        (status, found["hits"]["hits"].as_array().unwrap().len()),
        (200, 1)
    );
    let body = create("b", &record(7, &now(2), "later"))
        + &create("a", &record(7, &now(1), "earlier"))
        + &create("c", &record(8, &now(1), "another session"));
    let (status, response) = server.bulk(body.as_bytes());
    assert_eq!((status, statuses(&response)), (200, vec![201, 201, 201]));
    assert_eq!(response["errors"], false);
    let first = &response["items"][0]["create"];
    assert_eq!(
        (&first["_index"], &first["_id"], &first["result"]),
        (&json!("logs-000001"), &json!("b"), &json!("created"))
    );
    let texts: Vec<_> = server
        .sources(7)
        .iter()
        .map(|row| row["message"].clone())
        .collect();
    assert_eq!(
        texts,
        [
            "[openReplaySession.id=7] earlier",
            "[openReplaySession.id=7] later"
        ]
    );

    let (_, again) = server.bulk(body.as_bytes());
    assert_eq!(
        (statuses(&again), &again["errors"]),
        (vec![409; 3], &json!(true))
    );
    assert_eq!(
        again["items"][0]["create"]["error"]["type"],
        "version_conflict_engine_exception"
    );
    assert_eq!(server.sources(7).len(), 2);
    let (_, found) = server.search(&json!({"size": 1}));
    assert_eq!(
        found["hits"]["total"],
        json!({"value": 3, "relation": "eq"})
    );
}

#[test]
fn a_record_without_level_or_time_blanks_no_panel() {
    let server = Server::start();
    let (_, response) = server.bulk(
        b"{\"index\":{}}\n{\"message\":\"openReplaySession.id=7 from rsyslog\",\"level\":3}\n",
    );
    assert_eq!(statuses(&response), [201]);
    let rows = server.sources(7);
    assert_eq!(rows[0]["level"], "info");
    assert!(
        rows[0]["@timestamp"].as_str().unwrap().ends_with('Z'),
        "{rows:?}"
    );
}

#[test]
fn what_other_readers_cannot_read_is_stored_and_returned_readable() {
    let server = Server::start();
    let records = [
        r#"{"message":"openReplaySession.id=7 a","level":"info","@timestamp":"soon"}"#,
        r#"{"message":"openReplaySession.id=7 b","level":"info","a":1e999}"#,
        r#"{"message":"openReplaySession.id=7 c","level":"info","a":"\ud800"}"#,
    ];
    let body: String = ["a", "b", "c"]
        .iter()
        .zip(records)
        .map(|(id, record)| create(id, record))
        .collect();
    let (_, response) = server.bulk(body.as_bytes());
    assert_eq!(statuses(&response), [201; 3]);
    // a retry finds them, although the time of arrival is another
    let (_, response) = server.bulk(body.as_bytes());
    assert_eq!(statuses(&response), [409; 3]);
    let mut rows = server.sources(7);
    rows.sort_by_key(|row| row["message"].as_str().map(str::to_owned));
    for row in &rows {
        assert!(row["@timestamp"].as_str().unwrap().ends_with('Z'), "{row}");
    }
    assert_eq!(
        (&rows[1]["a"], &rows[2]["a"]),
        (&json!("1e999"), &json!("\u{fffd}"))
    );
}

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
fn each_bad_record_has_its_own_response_and_the_good_ones_are_stored() {
    let server = Server::start();
    let time = now(0);
    let good = |id: &str| create(id, &record(7, &time, id));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
    let long = "x".repeat(513);
    let cases: [(String, u64, &str); 14] = [
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
    assert_eq!(items[13]["create"]["_id"], "5");
    assert_eq!(server.sources(7).len(), 2, "the first and the last");
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
            format!("{good}{{\"create\":{{}}}}\n"),
            "line [3] has no record",
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

fn gzip(bytes: &[u8]) -> Vec<u8> {
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
