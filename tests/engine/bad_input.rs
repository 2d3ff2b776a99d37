//! Bad input: Elasticsearch and the store get the same requests, and respond alike but for the
//! differences that are named here.

use std::fmt;
use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{Elasticsearch, Serve};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A request, and why the store responds to it in another way, if it does.
struct Case {
    name: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    differs: Option<&'static str>,
}

/// What a client acts on: the status and error of the response, and of each item.
#[derive(PartialEq, Eq)]
struct Outcome {
    status: u16,
    error: String,
    items: Vec<(u64, String)>,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.status, self.error, self.items)
    }
}

const ADDS_ONLY: &str = "the store only adds records";
const ONE_ITEM: &str =
    "Elasticsearch rejects the whole request; the store stores the other records";
const ONE_INDEX: &str = "the store has one index and creates none";
const FUTURE: &str = "the store rejects a time that is more than a day ahead";
const SEARCH: &str = "the store has OpenReplay's two searches and no others";
const LENIENT: &str = "what changes nothing that is stored is passed over";
const NAME: &str = "both reject it, under different names";
const NEVER: &str =
    "it can never be stored, and Elasticsearch responds with a status that clients retry";
const CLEAR: &str = "Elasticsearch closes the connection; the store names the reason";
const PIPELINE: &str = "Elasticsearch rejects each record; the store rejects the request";
const ENCODING: &str = "Elasticsearch reads the body as if it were not compressed";

/// In milliseconds.
const TWO_DAYS: u64 = 2 * 24 * 60 * 60 * 1000;

fn lines(lines: &[&str]) -> Vec<u8> {
    (lines.join("\n") + "\n").into_bytes()
}

/// A good record.
fn good() -> String {
    at(&json!(now()))
}

fn at(time: &Value) -> String {
    json!({"@timestamp": time, "level": "info", "message": "[openReplaySession.id=7] m"})
        .to_string()
}

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap()
}

fn case(name: &'static str, body: Vec<u8>, differs: Option<&'static str>) -> Case {
    Case {
        name,
        path: "/logs/_bulk",
        headers: vec![("content-type", "application/x-ndjson")],
        body,
        differs,
    }
}

/// One record between two good ones.
fn record(name: &'static str, record: &str, differs: Option<&'static str>) -> Case {
    let (create, good) = (r#"{"create":{}}"#, good());
    case(
        name,
        lines(&[create, &good, create, record, create, &good]),
        differs,
    )
}

/// One action with a good record, between two good ones.
fn action(name: &'static str, action: &str, differs: Option<&'static str>) -> Case {
    let (create, good) = (r#"{"create":{}}"#, good());
    case(
        name,
        lines(&[create, &good, action, &good, create, &good]),
        differs,
    )
}

fn records() -> Vec<Case> {
    let deep = |levels: usize| {
        format!(
            r#"{{"a":{}1{}}}"#,
            r#"{"a":"#.repeat(levels),
            "}".repeat(levels)
        )
    };
    let time = |time: Value| at(&time);
    vec![
        record("a duplicate name", r#"{"a":1,"a":2}"#, None),
        record(
            "a duplicate name inside",
            r#"{"fields":{"a":1,"a":2}}"#,
            None,
        ),
        record("19 levels", &deep(18), None),
        record("1,000 levels", &deep(1_000), None),
        record("100,000 levels", &deep(100_000), None),
        record("a list", "[]", Some(NEVER)),
        record("a text", r#""a""#, Some(NEVER)),
        record("a number", "1", Some(NEVER)),
        record("no JSON", "level=info", Some(NEVER)),
        record("half a record", r#"{"level":"inf"#, None),
        record("two records in a line", "{}{}", Some(NAME)),
        record("a NUL in a text", "{\"a\":\"\0\"}", None),
        record("an escaped NUL", r#"{"a":"\u0000"}"#, None),
        record("NULs only", "\0\0\0", Some(NEVER)),
        record("half a surrogate pair", r#"{"a":"\ud800"}"#, None),
        record("no record", "", None),
        record("an empty record", "{}", None),
        record("an empty name", r#"{"":1}"#, Some(LENIENT)),
        record("NaN", r#"{"a":NaN}"#, None),
        record("a number beyond all bounds", r#"{"a":1e999}"#, None),
        record("a message that is no text", r#"{"message":{"a":1}}"#, None),
        record("milliseconds", &time(json!(now())), None),
        record(
            "milliseconds as a text",
            &time(json!(now().to_string())),
            None,
        ),
        record("half a millisecond", &time(json!(now() as f64 + 0.5)), None),
        record("a list of times", &time(json!([now()])), None),
        record("no time", &time(Value::Null), None),
        record("an empty time", &time(json!("")), None),
        record("a word as a time", &time(json!("soon")), None),
        record("a time that is true", &time(json!(true)), None),
        record("an object as a time", &time(json!({"a": 1})), None),
        record("a time before 1970", &time(json!(-1)), None),
        record("the year 3000", &time(json!("3000-01-01")), None),
        record("in two days", &time(json!(now() + TWO_DAYS)), Some(FUTURE)),
    ]
}

fn actions() -> Vec<Case> {
    let long = |length| format!(r#"{{"create":{{"_id":"{}"}}}}"#, "x".repeat(length));
    let (create, good) = (r#"{"create":{}}"#, good());
    let twice = r#"{"create":{"_id":"twice"}}"#;
    vec![
        action(
            "an _id with quotes",
            r#"{"create":{"_id":"a\"b'c\\"}}"#,
            None,
        ),
        action("an _id of 512 bytes", &long(512), None),
        action("an _id of 513 bytes", &long(513), Some(ONE_ITEM)),
        action("an empty _id", r#"{"create":{"_id":""}}"#, Some(NAME)),
        action("an _id that is a number", r#"{"create":{"_id":12}}"#, None),
        case("one _id twice", lines(&[twice, &good, twice, &good]), None),
        action(
            "another index",
            r#"{"create":{"_index":"other"}}"#,
            Some(ONE_INDEX),
        ),
        action("index", r#"{"index":{}}"#, None),
        action("update", r#"{"update":{"_id":"u"}}"#, Some(ADDS_ONLY)),
        case(
            "delete next to a good record",
            lines(&[r#"{"delete":{"_id":"d"}}"#, create, &good]),
            Some(ADDS_ONLY),
        ),
        action("an unknown action", r#"{"upsert":{}}"#, None),
        action("two actions in a line", r#"{"create":{},"index":{}}"#, None),
        action("an action that is no JSON", "create", Some(NAME)),
        action("an action that is a list", "[]", None),
        action("an action without an object", r#"{"create":1}"#, None),
        action(
            "an unknown parameter",
            r#"{"create":{"a":1}}"#,
            Some(LENIENT),
        ),
        case("no final newline", format!("{create}\n{good}").into(), None),
        case("an action without a record", lines(&[create]), Some(NAME)),
        case("nothing", Vec::new(), None),
        case("newlines only", lines(&["", ""]), Some(NAME)),
        case("CR and LF", format!("{create}\r\n{good}\r\n").into(), None),
        case(
            "no UTF-8",
            b"{\"create\":{}}\n{\"a\":\"\xff\"}\n".to_vec(),
            None,
        ),
    ]
}

fn requests() -> Vec<Case> {
    let gzip = |body: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let body = lines(&[r#"{"create":{}}"#, &good()]);
    let with = |name, header, body: &[u8], differs| {
        let mut case = case(name, body.to_vec(), differs);
        case.headers.push(header);
        case
    };
    let at_path = |name, path, body: &str, differs| Case {
        path,
        headers: vec![("content-type", "application/json")],
        ..case(name, body.into(), differs)
    };
    let zipped = gzip(&body);
    vec![
        with("gzip", ("content-encoding", "gzip"), &zipped, None),
        with(
            "broken gzip",
            ("content-encoding", "gzip"),
            &body,
            Some(CLEAR),
        ),
        with(
            "half of gzip",
            ("content-encoding", "gzip"),
            &zipped[..zipped.len() / 2],
            Some(NAME),
        ),
        with("zstd", ("content-encoding", "zstd"), &body, Some(ENCODING)),
        with(
            "an unknown encoding",
            ("content-encoding", "snappy"),
            &body,
            Some(CLEAR),
        ),
        Case {
            headers: vec![("content-type", "text/plain")],
            ..case("another content type", body.clone(), Some(LENIENT))
        },
        at_path("a missing index", "/missing/_search", r#"{"size":1}"#, None),
        at_path(
            "a search that is no JSON",
            "/logs/_search",
            "size",
            Some(NAME),
        ),
        at_path(
            "another search",
            "/logs/_search",
            r#"{"query":{"match_all":{}}}"#,
            Some(SEARCH),
        ),
        at_path(
            "too many hits",
            "/logs/_search",
            r#"{"size":10001}"#,
            Some(NAME),
        ),
        at_path(
            "a negative size",
            "/logs/_search",
            r#"{"size":-1}"#,
            Some(NAME),
        ),
        at_path(
            "a missing pipeline",
            "/logs/_bulk?pipeline=other",
            "{\"create\":{}}\n{}\n",
            Some(PIPELINE),
        ),
    ]
}

#[test]
#[ignore = "needs Elasticsearch"]
fn the_store_responds_to_bad_input_like_elasticsearch_but_for_what_is_named() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let folder = TempDir::new().unwrap();
    let serve = Serve::start(folder.path());
    // with both rights
    let created = integration_tests::CommandOutput::of(
        integration_tests::openreplay_elastic()
            .args(["api-key", "--writer", "--read", "--json", "--data"])
            .arg(folder.path()),
    );
    let key = format!("ApiKey {}", created.json()["encoded"].as_str().unwrap());
    let user = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"))
    );

    let mut wrong = Vec::new();
    for case in records().into_iter().chain(actions()).chain(requests()) {
        let theirs = outcome(engine.url(), &user, &case);
        let ours = outcome(serve.url(), &key, &case);
        if (theirs == ours) != case.differs.is_none() {
            let why = case.differs.unwrap_or("unnamed");
            wrong.push(format!(
                "{} ({why})\n  Elasticsearch: {theirs:?}\n  the store:     {ours:?}",
                case.name
            ));
        }
        // whatever differs, the good records next to it are stored or the whole request is rejected
        let good = ours.items.iter().filter(|(status, _)| *status == 201);
        assert!(
            case.path != "/logs/_bulk"
                || ours.status != 200
                || good.count() > 0
                || ours.items.len() == 1,
            "{}: {ours:?}",
            case.name
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn outcome(url: &str, authorization: &str, case: &Case) -> Outcome {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut request = agent
        .post(format!("{url}{}", case.path))
        .header("authorization", authorization);
    for (name, value) in &case.headers {
        request = request.header(*name, *value);
    }
    let Ok(mut response) = request.send(&case.body[..]) else {
        return Outcome {
            status: 0,
            error: "the connection is closed".to_owned(),
            items: Vec::new(),
        };
    };
    let text = response.body_mut().read_to_string().unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let name = |value: &Value| {
        value["error"]["type"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let items = body["items"].as_array().cloned().unwrap_or_default();
    let items = items
        .iter()
        .flat_map(|item| item.as_object().unwrap().values());
    Outcome {
        status: response.status().as_u16(),
        error: name(&body),
        items: items
            .map(|item| (item["status"].as_u64().unwrap(), name(item)))
            .collect(),
    }
}
