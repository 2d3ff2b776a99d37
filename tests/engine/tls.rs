//! Over TLS, with an authority of one's own before the engine: everything, and the error if
//! it is not trusted.

use std::time::Duration;

use integration_tests::engine::{PASSWORD, USER};
use integration_tests::{CommandOutput, Elasticsearch, TlsProxy, openreplay_elastic};
use openreplay_elastic::ElasticWriter;
use serde_json::json;

use crate::record;

#[test]
#[ignore = "needs Elasticsearch"]
fn everything_works_over_tls_with_the_authoritys_certificate() {
    let engine = Elasticsearch::start();
    let proxy = TlsProxy::start(engine.address(), "127.0.0.1");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let authority = file("ca.pem", proxy.authority());
    let url = proxy.url();
    let by = |key: Option<&str>, args: &[&str]| {
        let mut command = openreplay_elastic();
        match key {
            Some(key) => command.env("ELASTICSEARCH_API_KEY", key),
            None => command
                .env("ELASTICSEARCH_USER", USER)
                .env("ELASTICSEARCH_PASSWORD", PASSWORD),
        };
        command.args(["--url", &url, "--ca-cert", &authority, "--json"]);
        let output = CommandOutput::of(command.args(args));
        assert_eq!(output.code, Some(0), "{args:?}: {output:?}");
        output.json()
    };

    by(None, &["setup"]);
    let reader = by(None, &["api-key"]);
    let lines = file("app.log", &format!("{}\n", record("7", "info", "shipped")));
    let checkpoint = folder.path().join("ship.json");
    let checkpoint = checkpoint.to_str().unwrap();
    by(
        None,
        &["ship", "--once", "--checkpoint", checkpoint, &lines],
    );

    let writer = by(None, &["api-key", "--writer"]);
    let (sink, guard) = ElasticWriter::builder(&url)
        .ca_pem(proxy.authority())
        .api_key(writer["encoded"].as_str().unwrap())
        .build()
        .unwrap();
    sink.write_line(record("7", "error", "written").to_string().as_bytes());
    let done = guard.shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done:?}");
    engine.ok("POST", "/logs/_refresh", "");

    let reader = reader["encoded"].as_str();
    let report = by(reader, &["check", "7"]);
    assert_eq!(report["findings"], json!([]), "{report}");
    let shown = by(reader, &["logs", "7"]);
    let rows = shown["rows"].as_array().unwrap();
    let levels: Vec<_> = rows.iter().map(|row| &row["level"]).collect();
    assert_eq!(levels, ["info", "error"]);
}

#[test]
#[ignore = "needs Elasticsearch"]
fn check_reports_tls() {
    let engine = Elasticsearch::start();
    assert_eq!(engine.command(&["setup"]).code, Some(0));
    let good = TlsProxy::start(engine.address(), "127.0.0.1");
    let other = TlsProxy::start(engine.address(), "elsewhere.example");
    for (url, authority) in [
        (good.url(), other.authority()),
        (other.url(), other.authority()),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, authority).unwrap();
        let mut command = openreplay_elastic();
        command
            .env("ELASTICSEARCH_API_KEY", "YTpi")
            .args(["--url", &url, "check", "--json", "--ca-cert"])
            .arg(file.path());
        let output = CommandOutput::of(&mut command);
        assert_eq!(output.code, Some(4), "{output:?}");
        let report = output.json();
        let findings = report["findings"].as_array().unwrap();
        let faults: Vec<_> = findings.iter().map(|finding| &finding["fault"]).collect();
        assert_eq!(faults, ["tls"], "{output:?}");
    }
}
