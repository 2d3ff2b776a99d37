//! Hostile header values over a real socket: not one line that a well-behaved request could not
//! have given, and no token anywhere.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use axum::{Router, routing::get};
use http::HeaderMap;
use integration_tests::Lines;
use openreplay_session::SessionId;
use serde_json::Value;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};
use tower_openreplay::{CurrentSession, SessionLayer};
use tracing::Level;
use tracing_subscriber::{filter::Targets, prelude::*};

const ID: &str = "openReplaySession.id";
const NAMES: [&str; 3] = [
    ID,
    "X-OpenReplay-SessionToken",
    "X-OpenReplay-Session-Token",
];
const TOKEN: &str = "11m0l7dhxvfh9.1c.mr3k5wxs.B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv";
/// The parts of the token that nothing may show; its first is the id in another base.
const SECRETS: [&str; 3] = [
    "11m0l7dhxvfh9",
    "mr3k5wxs",
    "B4a4aN3zSe5kWqfAiQ2Xe7GzEKC52N7iJeHNaJewG9Gv",
];

async fn handler(headers: HeaderMap, session: Option<CurrentSession>) -> String {
    tracing::info!("handled");
    // as people log when they look for a fault
    let values = headers.get_all(ID).iter();
    let parsed: Vec<_> = values.map(SessionId::try_from).collect();
    tracing::debug!(?headers, ?session, ?parsed, "Debug texts");
    format!("{session:?} {parsed:?} {headers:?}")
}

fn serve() -> (SocketAddr, Lines) {
    let lines = Lines::default();
    tracing_subscriber::registry()
        .with(
            Targets::new().with_targets(
                ["hostile_headers", "tower_http"].map(|target| (target, Level::DEBUG)),
            ),
        )
        .with(tracing_openreplay::json().with_writer(lines.clone()))
        .init();
    let app = Router::new()
        .route("/", get(handler))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
        .layer(SessionLayer::new().with_query_parameter(ID));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
    (address, lines)
}

/// Sends one request with these header lines, raw, and returns the whole response, as text as far
/// as it is.
fn send(address: SocketAddr, headers: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let head = [
        b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n",
        headers,
        b"\r\n",
    ]
    .concat();
    socket.write_all(&head).unwrap();
    let mut response = Vec::new();
    // a server that rejects the head may close before it has read all of it
    let _ = socket.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

fn line(name: &str, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b": ", value, b"\r\n"].concat()
}

/// Values that want to be more than a value.
fn hostile_values() -> Vec<Vec<u8>> {
    let texts = [
        "42\", \"level\": \"error",
        "\"}{\"message\":\"forged\"}",
        "\\",
        "\\u0000",
        "42\\n{\"level\":\"error\"}",
        "42]\u{20}[openReplaySession.id=43",
        "42] ERROR forged",
        "[openReplaySession.id=43]",
        "openReplaySession.id=43",
        "%0d%0a",
        "${jndi:ldap://127.0.0.1/a}",
        "{{7*7}}",
        "{} {:?} {0}",
        "%s%s%n",
        "'; DROP TABLE logs;--",
        "* OR message:*",
        "../../etc/passwd",
        "__proto__[x]",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "42;43",
        "42 43",
        "42,43",
        "42, 42 ,43",
        ",,,,",
        "undefined",
        "null,null",
        "NaN",
        "[object Object]",
        "true",
        "-1e9",
        "+42",
        "0x2a",
        "18446744073709551616",
        "a.b.c.d",
        "....",
        "zzzzzzzzzzzzzzzzzzzz.1.1.a",
        "-1.-1.-1.a",
        "1.1.1.1.1",
        "4\u{202e}2",
        "\u{feff}42",
        "٤٢",
        "42",
        "e\u{301}",
        "😀",
    ];
    let mut values: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    values.extend([
        b"\x1b[31mred\x1b[0m".to_vec(),
        b"\x1b]0;title\x07".to_vec(),
        b"42\r\n folded".to_vec(),
        b"42\r\nlevel: error".to_vec(),
        b"42\nlevel: error".to_vec(),
        b"\xc0\xaf\xe0\x80\xaf".to_vec(),
        b"\xed\xa0\x80".to_vec(),
        vec![b'a'; 65],
        vec![b'9'; 5000],
        vec![b','; 3000],
        vec![b'.'; 3000],
        "42,".repeat(1000).into_bytes(),
        format!("{TOKEN}, ").repeat(40).into_bytes(),
    ]);
    // each byte once, raw, in the middle
    values.extend((0..=255).map(|byte| vec![b'4', byte, b'2']));
    values
}

/// What differs from request to request, or names the session.
fn without_variables(mut record: Value) -> Value {
    for key in ["@timestamp", "utc_time", "message", ID] {
        record.as_object_mut().unwrap().remove(key);
    }
    record
}

/// But for the prefix of its own session, if it has one, a message holds nothing that a search for
/// a session finds.
fn assert_names_no_other_session(record: &Value) {
    let message = record["message"].as_str().unwrap();
    let own = record[ID].as_str().map(|id| format!("[{ID}={id}] "));
    let rest = own.map_or(message, |own| {
        message
            .strip_prefix(&own)
            .unwrap_or_else(|| panic!("{record}"))
    });
    let folded = rest.to_lowercase().replace("i\u{307}", "i");
    assert!(!folded.contains(&ID.to_lowercase()), "{record}");
}

fn is_handled(record: &Value) -> bool {
    record["message"].as_str().unwrap().ends_with("handled")
}

#[test]
fn hostile_values_write_only_what_a_well_behaved_request_writes() {
    let (address, lines) = serve();

    assert!(send(address, &line(ID, b"42")).starts_with("HTTP/1.1 200"));
    let well_behaved = lines.records();
    let expected = well_behaved
        .iter()
        .find(|record| is_handled(record))
        .unwrap()
        .clone();
    assert_eq!(expected["message"], "[openReplaySession.id=42] handled");
    assert_eq!(expected[ID], "42");
    let messages: Vec<_> = well_behaved
        .iter()
        .map(|record| record["message"].as_str().unwrap())
        .collect();
    let count = well_behaved.len();
    assert!(
        count >= 4,
        "the trace, the handler and its Debug texts: {messages:?}"
    );
    let expected = without_variables(expected);

    let values = hostile_values();
    assert!(values.len() >= 200);
    let mut served = 0;
    for (number, value) in values.iter().enumerate() {
        let name = NAMES[number % NAMES.len()];
        let headers = if number % 5 == 0 {
            NAMES.map(|name| line(name, value)).concat()
        } else {
            line(name, value)
        };
        let response = send(address, &headers);
        let records = lines.records();
        let shown = String::from_utf8_lossy(value);
        if !response.starts_with("HTTP/1.1 200") {
            // hyper rejects what is no header value
            assert!(
                response.starts_with("HTTP/1.1 400") && records.is_empty(),
                "{shown:?}: {response} {records:?}"
            );
            continue;
        }
        served += 1;
        assert_eq!(records.len(), count, "{shown:?}");
        let handled: Vec<_> = records.iter().filter(|record| is_handled(record)).collect();
        assert_eq!(handled.len(), 1, "{shown:?}");
        let message = handled[0]["message"].as_str().unwrap();
        match handled[0].get(ID) {
            Some(id) => {
                let id: SessionId = id.as_str().unwrap().parse().unwrap();
                assert_eq!(
                    message,
                    format!("[openReplaySession.id={id}] handled"),
                    "{shown:?}"
                );
            }
            None => assert_eq!(message, "handled", "{shown:?}"),
        }
        assert_eq!(without_variables(handled[0].clone()), expected, "{shown:?}");
        // all records of a request agree
        for record in &records {
            assert_eq!(record.get(ID), handled[0].get(ID), "{shown:?}: {record}");
            assert_names_no_other_session(record);
        }
    }
    assert!(served >= 200, "only {served} were served");

    // however a token comes, neither records nor response show more of it than the id
    let joined = format!("own, {TOKEN}, {TOKEN}");
    for name in NAMES {
        for value in [
            TOKEN,
            &joined,
            &format!("{TOKEN}!"),
            &format!("{TOKEN}.x"),
            &TOKEN[..30],
            &format!(" {TOKEN} "),
        ] {
            let response = send(
                address,
                &[line(name, value.as_bytes()), line(name, b"own")].concat(),
            );
            assert!(response.starts_with("HTTP/1.1 200"), "{response}");
            let written = String::from_utf8(lines.take()).unwrap();
            assert!(written.contains("Debug texts"));
            for secret in SECRETS {
                assert!(!written.contains(secret), "{name}: {value}: {written}");
                assert!(!response.contains(secret), "{name}: {value}: {response}");
            }
        }
    }
}
