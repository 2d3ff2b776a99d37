//! What real proxies let through between a page and `examples/axum-app`.

mod haproxy;
mod nginx;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use integration_tests::{daemon::Daemon, process::Example};

/// A session's id, and a token of the same session.
const ID: &str = "4950498349085463837";
const TOKEN: &str = "11m0l7dhxvfh9.0.mkb4q5xs.4YCTxcTaFVmdKVzHfzHrB8mB3nCyP1kZRuwYbtpYtY2u";

fn app() -> Example {
    Example::axum_app(&[])
}

/// The app's address without its scheme.
fn authority(app: &Example) -> String {
    app.url().replace("http://", "")
}

#[track_caller]
fn passes_both_headers(proxy: &Daemon, app: &Example) {
    for header in [
        ("openReplaySession.id", ID),
        ("X-OpenReplay-SessionToken", TOKEN),
    ] {
        assert_eq!(
            session_through(proxy.url(), app, header).as_deref(),
            Some(ID),
            "{header:?}"
        );
    }
}

/// Sends a request through the proxy, and returns the session of its one record.
fn session_through(proxy: &str, app: &Example, header: (&str, &str)) -> Option<String> {
    let accessed = |app: &Example| {
        let records = app.records();
        let is_access = |record: &&serde_json::Value| {
            record["message"]
                .as_str()
                .is_some_and(|text| text.ends_with("Endpoint accessed"))
        };
        records
            .iter()
            .filter(is_access)
            .cloned()
            .collect::<Vec<_>>()
    };
    let before = accessed(app).len();
    let response = ureq::get(format!("{proxy}/api/endpoint"))
        .header(header.0, header.1)
        .call();
    assert_eq!(response.expect("the proxy responds").status(), 200);
    let record = app.wait_for("a record of the request", |_| {
        accessed(app).get(before).cloned()
    });
    record["openReplaySession.id"].as_str().map(str::to_owned)
}

/// Sends the id under a name that no client library puts in lower case, and returns the response.
fn send_as_written(proxy: &Daemon, name: &str) -> String {
    let address = proxy.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the proxy listens");
    write!(
        stream,
        "GET /api/endpoint HTTP/1.1\r\nHost: {address}\r\n{name}: {ID}\r\nConnection: close\r\n\r\n"
    )
    .expect("the proxy reads");
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .expect("the proxy responds");
    response
}
